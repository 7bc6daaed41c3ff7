#pragma once

#include "actors/protocol/caf.h"
#include "transport/wire/messages.h"

namespace sluice {

/// Reader to channel, channel to writer: records. In order; charged to the receiver's credit.
struct batch_msg {
  batch_ptr b;
};

// `sent_msg` (transport/wire/messages.h) goes this way too, once a second from a sender that waits.

}  // namespace sluice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::batch_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::sent_msg)
