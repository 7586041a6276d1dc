//! The app that is sent: the same files in each run.
use std::{fs, path::Path};

/// A generator of numbers that are the same in each run (Knuth's constants for 64 bits).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

/// Writes 3,000 files of words, 35 MB in all, and eight of 2 MB that can't be compressed.
pub fn write(folder: &Path) {
    let size = |file: usize| if file.is_multiple_of(10) { 60_000 } else { 6_500 };
    files_of_words(folder, 3000, size);
    let mut numbers = Numbers(7);
    for asset in 0..8 {
        let bytes: Vec<u8> = (0..250_000).flat_map(|_| (numbers.next() ^ numbers.next() << 32).to_le_bytes()).collect();
        fs::write(folder.join(format!("asset{asset}.bin")), bytes).expect("a file");
    }
}

/// Writes this many files of 20 kB, half of them such that they can't be compressed.
pub fn write_many(folder: &Path, files: usize) {
    files_of_words(folder, files / 2, |_| 20_000);
    let mut numbers = Numbers(11);
    for file in 0..files / 2 {
        let at = folder.join(format!("assets/a{}", file % 100));
        if file < 100 {
            fs::create_dir_all(&at).expect("a folder");
        }
        let bytes: Vec<u8> = (0..2_500).flat_map(|_| (numbers.next() ^ numbers.next() << 32).to_le_bytes()).collect();
        fs::write(at.join(format!("{file}.bin")), bytes).expect("a file");
    }
}

fn files_of_words(folder: &Path, files: usize, size: impl Fn(usize) -> usize) {
    let mut numbers = Numbers(7);
    let word = |numbers: &mut Numbers| -> String {
        (0..2 + numbers.next() % 8).map(|_| char::from(b'a' + (numbers.next() % 26) as u8)).collect()
    };
    let words: Vec<String> = (0..4000).map(|_| word(&mut numbers)).collect();
    for file in 0..files {
        let at = folder.join(format!("src/m{}/p{}", file % 60, file % 7));
        fs::create_dir_all(&at).expect("a folder");
        let size = size(file);
        let mut text = String::with_capacity(size + 10);
        while text.len() < size {
            text += &words[numbers.next() as usize % words.len()];
            text.push(if numbers.next().is_multiple_of(9) { '\n' } else { ' ' });
        }
        fs::write(at.join(format!("f{file}.py")), text).expect("a file");
    }
}
