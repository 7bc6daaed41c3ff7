#pragma once

namespace sluice::relational {

/// The PEM file in which this machine's distribution keeps the authorities it trusts; nullptr where there is
/// none. Named to the libraries, which else would look where a variable of the environment says.
const char* system_authorities();

}  // namespace sluice::relational
