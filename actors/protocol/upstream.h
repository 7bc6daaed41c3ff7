#pragma once

#include "actors/protocol/caf.h"
#include "transport/wire/messages.h"

// Writer to channel, channel to reader: `rewind_msg` begins an epoch, `credit_msg` lets more pass
// (transport/wire/messages.h).

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::rewind_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::credit_msg)
