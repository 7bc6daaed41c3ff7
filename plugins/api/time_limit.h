#pragma once

namespace sluice {

/// Code of a failure by a limit of time that the job itself sets for its statements, such as
/// statement_timeout: the same command meets it again. Its message names the setting to raise.
inline constexpr const char* time_limit_code = "time_limit";

}  // namespace sluice
