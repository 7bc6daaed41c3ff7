#include "plugins/text/decompressors.h"

#include "transport/base/text.h"

namespace sluice {

tl::unexpected<error> cut_short(const std::string& path, std::string_view kind, std::uint64_t offset) {
  return fail(error_kind::source_changed,
              "The {} file {} is cut short: it ends at byte {} inside the compressed data. Get the whole "
              "file and run again.",
              kind, in_quotes(path), offset);
}

tl::unexpected<error> damaged(const std::string& path, std::string_view kind, std::uint64_t offset,
                              std::string_view reason) {
  return fail(error_kind::source_changed,
              "The {} file {} is damaged near byte {} ({}). Get an undamaged file and run again.", kind,
              in_quotes(path), offset, reason);
}

tl::unexpected<error> not_of_kind(const std::string& path, std::string_view kind) {
  return fail(error_kind::bad_option, "The file {} is not {} data; correct compress or the path.",
              in_quotes(path), kind);
}

}  // namespace sluice
