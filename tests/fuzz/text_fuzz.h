#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/text/packed_mark.h"
#include "plugins/text/text_reader.h"
#include "transport/record/batch.h"

/// Reads bytes through the text plugin as if they were a file.
namespace sluice::text_fuzz {

struct row {
  std::vector<std::optional<std::string>> values;
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
};

/// Rows and refusals (line and code), in order.
struct outcome {
  std::vector<row> rows;
  std::vector<std::pair<std::uint64_t, std::string>> dirty;
};

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

/// A file without a name, as long as it lives.
class unnamed_file {
 public:
  explicit unnamed_file(std::string_view content) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0 && ::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "memfd");
  }
  ~unnamed_file() { ::close(fd_); }
  unnamed_file(const unnamed_file&) = delete;
  unnamed_file& operator=(const unnamed_file&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

inline void keep(const batch& b, outcome& out) {
  for (std::uint32_t i = 0; i < b.rows; ++i) {
    row r;
    for (const column& c : b.columns) {
      r.values.push_back(c.is_null(i) ? std::nullopt : std::optional(std::string(c.get_bytes(i))));
    }
    r.offset = b.places->byte_offset_first + b.places->byte_deltas.as<std::uint32_t>()[i];
    r.line = b.places->line_first +
             (b.places->line_deltas.empty() ? i : b.places->line_deltas.as<std::uint32_t>()[i]);
    out.rows.push_back(std::move(r));
  }
  for (const dirty_record& d : b.dirty) {
    out.dirty.emplace_back(d.line.value_or(0), d.code);
  }
}

/// All records of `content` read with `parameter`, in batches of at most `rows_max` rows. Nothing where the
/// source refuses the file by its first bytes: they are those of a compression or of another encoding.
inline std::optional<outcome> read(std::string_view content, nlohmann::json parameter,
                                   std::uint32_t rows_max) {
  const unnamed_file file(content);
  parameter["path"] = file.path();
  plugin_context context;
  context.pool = buffer_pool::make(std::size_t{1} << 20);
  context.memory_bytes = 1;
  const option_values options("fuzz", "reader", std::move(parameter), nullptr,
                              text_reader_description().options, dialect::script2);
  auto source = make_text_source(options, context);
  require(source.has_value(), "the options are right");
  const auto description = (*source)->open({});
  if (!description) {
    const bool not_utf8 = content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff") ||
                          content.starts_with(std::string_view("\0\0\xfe\xff", 4));
    require(not_utf8 || !packed_by(content.substr(0, packed_mark_bytes)).empty(), "the source opens");
    return std::nullopt;
  }
  const auto splits = (*source)->plan_splits(1, {});
  auto reader = (*source)->make_reader();
  require((*reader)->open((*splits)[0].description, {}, {}).has_value(), "the reader opens");
  batch_builder builder(description->columns, context.pool, {.rows_max = rows_max});
  outcome out;
  std::uint64_t records = 0;
  for (;;) {
    const auto answer = (*reader)->read(builder, {});
    require(answer.has_value(), "reading goes on");
    if (answer->what == read_answer::kind::needs) {
      auto more = builder.limit();
      require(answer->bytes > more.bytes_max, "more is asked for than there is");
      more.bytes_max = answer->bytes;
      builder.set_limits(more);
      continue;
    }
    const auto batch = builder.seal(records);
    records += batch->records_read;
    keep(*batch, out);
    if (answer->what == read_answer::kind::end) {
      return out;
    }
  }
}

}  // namespace sluice::text_fuzz
