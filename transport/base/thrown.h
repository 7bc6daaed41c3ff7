#pragma once

#include <exception>
#include <utility>

#include "transport/base/result.h"

namespace sluice {

/// What an exception says as an error: `no_room` where memory is used up, else `internal`. Sluice reports
/// failures as results; what throws is a library that is out of memory, or a mistake of ours.
error thrown(const std::exception_ptr& what);

/// The answer of a call, or what it threw.
template <class Call>
auto caught(Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    return fail(thrown(std::current_exception()));
  }
}

}  // namespace sluice
