#pragma once

#include <map>
#include <string>

#include "actors/protocol/caf.h"
#include "transport/base/error.h"
#include "transport/wire/messages.h"

namespace sluice {

/// Error actor to dirty file and back again to the writer that asked: the messages of
/// transport/wire/messages.h with the writer they concern.
template <class Message>
struct for_writer {
  Message m;
  actor_ref writer;
};

/// Supervisor to error actor to dirty file: nothing comes any more; answered to the supervisor by
/// `dirty_sealed`.
struct dirty_seal {};
/// Error actor to dirty file where the run ends before its data does: answered like `dirty_seal`, but nothing
/// is sealed.
struct dirty_tell {};
/// `failure` where the file could not be made durable; `missing`: counted in marks, not in this folder;
/// `by_code`: what the file holds.
struct dirty_sealed {
  std::optional<error> failure;
  std::uint64_t missing = 0;
  std::map<std::string, std::uint64_t> by_code;
};
/// Dirty file to the writer that waits for it: it cannot be written any more.
struct dirty_failed {
  epoch_number epoch;
  error why;
};
/// Dirty file to error actor: it cannot be written any more; the run fails.
struct dirty_file_failed {
  error why;
};

}  // namespace sluice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_sync)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_commit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_drop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_synced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_dropped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::for_writer<sluice::dirty_sync>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::for_writer<sluice::dirty_drop>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_seal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_tell)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_sealed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_file_failed)
