#pragma once

namespace sluice {

/// The code of a `busy` by which a writer asks that what is not committed of its split be read again at once:
/// a row was refused in a transaction that cannot tell which (delivery.md, "fast or carefully"). It is
/// neither waited for nor counted as a retry; the writer goes on so that it does not ask again for the same
/// rows.
inline constexpr const char* read_again_code = "read_again";

}  // namespace sluice
