#include "transport/base/error.h"

namespace sluice {

std::string_view to_string(error_kind kind) {
  switch (kind) {
    case error_kind::bad_option:
      return "bad_option";
    case error_kind::denied:
      return "denied";
    case error_kind::not_supported:
      return "not_supported";
    case error_kind::not_connected:
      return "not_connected";
    case error_kind::busy:
      return "busy";
    case error_kind::bad_row:
      return "bad_row";
    case error_kind::source_changed:
      return "source_changed";
    case error_kind::no_room:
      return "no_room";
    case error_kind::over_limit:
      return "over_limit";
    case error_kind::conflict:
      return "conflict";
    case error_kind::cancelled:
      return "cancelled";
    case error_kind::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace sluice
