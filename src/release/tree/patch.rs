//! The binary difference of a large file to an earlier one, which `zstd --patch-from` applies.
use std::{
    io::{self, Write},
    ops::RangeInclusive,
};
use zstd::stream::raw::CParameter;

/// The sizes of files that are patched. Both sides hold the earlier file in memory.
pub(super) const SIZES: RangeInclusive<u64> = 256 << 10..=64 << 20;

/// The level of zstd for patches, which are made once for all hosts.
const LEVEL: i32 = 9;

/// Makes a patch; nothing if it saves less than half.
pub(super) fn patch(earlier: &[u8], new: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut made = zstd::Encoder::with_ref_prefix(Vec::new(), LEVEL, earlier)?;
    // The window reaches back over all of the earlier file.
    let reach = earlier.len().max(new.len()).ilog2() + 1;
    made.set_parameter(CParameter::WindowLog(reach))?;
    made.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    made.write_all(new)?;
    let made = made.finish()?;
    Ok((made.len() < new.len() / 2).then_some(made))
}
