//! A release from an archive on this machine, such as a CI artifact.
use super::{PackedTrees, tree::part};
use crate::{
    effect::*,
    failure::Failure,
    model::{Commit, Model, Predicted},
    remote::digest,
    temporary::TemporaryFolder,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

/// Takes an archive as the tree of a release, if its sha256 is the expected one.
#[derive(Clone, Debug, Serialize)]
pub struct TakeArchive {
    /// The fleet's repository, which may contain the commit.
    pub repository: String,
    /// A `.tar`, gzipped or not.
    pub file: String,
    /// 64 hex digits.
    pub sha256: String,
    pub commit: Commit,
    /// The folder in the archive that is released.
    pub part: String,
    pub linked: Vec<String>,
}

impl Effect for TakeArchive {
    /// The digest of its manifest.
    type Outcome = String;
    const NAME: &'static str = "take_archive";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("check and unpack {} here", self.file)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let (own, packs, cache) = (self.clone(), at.real.kept.get::<PackedTrees>(), at.real.cache.clone());
        let taken = tokio::task::spawn_blocking(move || {
            let (folder, newest) = own.unpacked(&cache)?;
            packs.pack_folder(&part(folder.path(), &own.part)?, &own.commit, newest, &own.linked, &cache)
        });
        let packed = taken.await.map_err(|e| Failure::unknown(format!("unpacking didn't finish: {e}")))??;
        Ok(packed.manifest_sha256.clone())
    }

    /// An archive isn't simulated, and needn't exist.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        model.takes(500);
        Ok(hex::encode(Sha256::digest(format!("archive {} {}", self.sha256, self.part))))
    }
}

impl TakeArchive {
    /// Unpacks the archive into a folder; returns it and the time of the newest entry.
    fn unpacked(&self, cache: &Path) -> Result<(TemporaryFolder, i64), Failure> {
        let cannot = |why: String| Failure::failed(format!("the archive `{}` can't be used: {why}", self.file));
        let said = |e: io::Error| cannot(e.to_string());
        let mut file = File::open(&self.file).map_err(said)?;
        let (is, _) = digest(&mut file).map_err(said)?;
        if is != self.sha256 {
            let message = format!("the sha256 of `{}` is {is}, but should be {}", self.file, self.sha256);
            return Err(Failure::failed(message).unchanged().help("get the archive again, or the right digest"));
        }
        std::fs::create_dir_all(cache).map_err(said)?;
        let folder = TemporaryFolder::make_in(cache).map_err(said)?;
        crate::remote::unpack(plain(&mut file).map_err(said)?, folder.path()).map_err(cannot)?;
        let newest = newest(plain(&mut file).map_err(said)?).map_err(said)?;
        Ok((folder, newest))
    }
}

/// Returns the tar in a file, from its beginning.
fn plain(file: &mut File) -> io::Result<Box<dyn Read + '_>> {
    let mut magic = [0; 2];
    file.rewind()?;
    let gzipped = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    file.rewind()?;
    let read = BufReader::new(file);
    Ok(if gzipped { Box::new(flate2::bufread::MultiGzDecoder::new(read)) } else { Box::new(read) })
}

fn newest(tar: impl Read) -> io::Result<i64> {
    let mut newest = 0;
    for entry in tar::Archive::new(tar).entries()? {
        newest = newest.max(entry?.header().mtime()?);
    }
    Ok(newest.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::PackedTrees;

    /// Makes a tar with these files, dated 1000, and its digest.
    fn archive(folder: &Path, files: &[(&str, &str)], gzip: bool) -> TakeArchive {
        let mut tar = tar::Builder::new(Vec::new());
        let mut global = tar::Header::new_ustar();
        global.set_entry_type(tar::EntryType::XGlobalHeader);
        global.set_size(0);
        // `git archive` writes such a header.
        tar.append_data(&mut global, "pax_global_header", io::empty()).unwrap();
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(1000);
            tar.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        let mut bytes = tar.into_inner().unwrap();
        if gzip {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            io::Write::write_all(&mut encoder, &bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        let file = folder.join("shop.tar");
        std::fs::write(&file, &bytes).unwrap();
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let (file, commit) = (file.display().to_string(), sha256[..40].into());
        TakeArchive { repository: "/".into(), file, sha256, commit, part: ".".into(), linked: vec![] }
    }

    #[test]
    fn an_archive_is_unpacked_gzipped_or_not_or_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        for gzip in [false, true] {
            let take = archive(folder.path(), &[("shop-3/app.js", "1"), ("shop-3/bin/run", "2")], gzip);
            let (unpacked, newest) = take.unpacked(folder.path()).unwrap();
            assert_eq!(newest, 1000);
            let top = part(unpacked.path(), "shop-3").unwrap();
            let packs = PackedTrees::default();
            let packed = packs.pack_folder(&top, &take.commit, newest, &[], folder.path()).unwrap();
            let names: Vec<&str> = packed.manifest.entries.iter().map(|entry| &*entry.path).collect();
            assert_eq!(names, ["app.js", "bin", "bin/run"]);
            assert_eq!(packed.manifest.commit, take.sha256[..40]);
        }
    }

    #[test]
    fn an_archive_that_is_another_than_was_said_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let take = archive(folder.path(), &[("app.js", "1")], true);
        std::fs::write(&take.file, "something else").unwrap();
        let is = hex::encode(Sha256::digest("something else"));
        let failure = take.unpacked(folder.path()).unwrap_err();
        assert_eq!(failure.message, format!("the sha256 of `{}` is {is}, but should be {}", take.file, take.sha256));
        let none = TakeArchive { file: "/nonexistent.tar".into(), ..take };
        let failure = none.unpacked(folder.path()).unwrap_err();
        assert_eq!(
            failure.message,
            "the archive `/nonexistent.tar` can't be used: No such file or directory (os error 2)"
        );
    }
}
