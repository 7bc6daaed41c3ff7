#pragma once

namespace sluice::relational {

/// Whether closing a socket, also by the end of a killed process, resets its connection. On while rows are
/// on their way: a server that waits for room notices a reset at once. A close without one, which is what
/// becomes of a socket whose last bytes were just read, leaves its window shut, and the server probes it
/// until this system has forgotten the connection: a minute, in which its statement runs on.
void reset_when_closed(int socket, bool reset);

}  // namespace sluice::relational
