#include "transport/base/thrown.h"

#include <fmt/format.h>

#include <new>

namespace sluice {

error thrown(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const std::bad_alloc&) {
    return {error_kind::no_room,
            "memory is used up: give the process more, or run with a smaller --memory or fewer pipelines",
            "bad_alloc", false};
  } catch (const std::exception& e) {
    return {error_kind::internal,
            fmt::format("an unexpected exception: {}; please report it, with the job and the log", e.what()),
            "exception", false};
  } catch (...) {
    return {error_kind::internal,
            "an unexpected exception of no known kind; please report it, with the job and the log",
            "exception", false};
  }
}

}  // namespace sluice
