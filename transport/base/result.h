#pragma once

#include <fmt/format.h>

#include <tl/expected.hpp>
#include <utility>

#include "transport/base/error.h"

namespace sluice {

/// What a fallible call returns: the value, or an `error`. Nothing of ours throws.
template <class T>
using result = tl::expected<T, error>;

/// Makes a failed result: `return fail(error_kind::no_room, "...: {}", x);`
template <class... Args>
tl::unexpected<error> fail(error_kind kind, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<error>(error{kind, fmt::format(format, std::forward<Args>(args)...), {}, false});
}

/// Passes an error on to the caller's caller.
inline tl::unexpected<error> fail(error e) {
  return tl::unexpected<error>(std::move(e));
}

}  // namespace sluice

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)

/// Returns from the enclosing function with the error of `expr`, if it failed.
#define SLUICE_CHECK(expr)                                \
  do {                                                    \
    if (auto sluice_r = (expr); !sluice_r) {              \
      return ::sluice::fail(std::move(sluice_r).error()); \
    }                                                     \
  } while (false)

/// `SLUICE_TRY(auto x, f());` declares x from the value of `f()`, or returns with its error.
#define SLUICE_TRY(declaration, expr)                                             \
  auto SLUICE_CONCAT(sluice_r_, __LINE__) = (expr);                               \
  if (!SLUICE_CONCAT(sluice_r_, __LINE__)) {                                      \
    return ::sluice::fail(std::move(SLUICE_CONCAT(sluice_r_, __LINE__)).error()); \
  }                                                                               \
  declaration = std::move(*SLUICE_CONCAT(sluice_r_, __LINE__))
