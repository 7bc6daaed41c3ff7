#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugins/text/text_reader.h"
#include "transport/record/batch.h"

/// Reads files through the plugin's own source and readers, for tests.
namespace sluice::text_reading {

/// A folder of its own, removed with this.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-text-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~temporary_folder() { std::filesystem::remove_all(path_); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file and returns its path.
  std::string file(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::string path_;
};

struct row {
  std::vector<std::optional<std::string>> values;
  std::uint64_t position = 0;
  std::uint64_t byte_offset = 0;
  std::uint64_t line = 0;
};

struct outcome {
  schema columns;
  std::vector<row> rows;                    ///< Positions count on over splits.
  std::vector<dirty_record> dirty;          ///< Likewise.
  std::vector<std::string> changes;         ///< `row.column rule` of changed values, by row and column.
  std::vector<cursor> cursors;              ///< One a batch.
  std::vector<std::size_t> rows_at_cursor;  ///< Rows and dirty records before each cursor.
  std::vector<std::size_t> dirty_at_cursor;
  std::uint64_t needs = 0;  ///< Times a reader asked for room.
  std::uint64_t needs_bytes_max = 0;
  std::size_t pool_bytes_peak = 0;
  std::size_t splits = 0;
  std::uint64_t records = 0;
};

struct reading {
  nlohmann::json parameter;
  dialect d = dialect::script2;
  std::uint32_t advice = 1;
  batch_builder::limits limits = {};
  std::uint64_t memory_bytes = 0;
  conversion_context formats = {};
  std::optional<std::uint64_t> batches_max = std::nullopt;  ///< Stops after so many.
  std::optional<cursor> after = std::nullopt;               ///< Of the first split.
  std::vector<std::string> warnings = {};
  std::vector<std::string> notes = {};
  std::function<void(const std::string& what, double seconds)> waits = [](const std::string&, double) {};
  bool only_looks = false;
  std::shared_ptr<buffer_pool> pool = buffer_pool::make(std::size_t{4} << 20);

  plugin_context context() {
    plugin_context c;
    c.pool = pool;
    c.memory_bytes = memory_bytes;
    c.formats = formats;
    c.warn = [this](std::string line) { warnings.push_back(std::move(line)); };
    c.note = [this](std::string line) { notes.push_back(std::move(line)); };
    c.waits = waits;
    c.only_looks = only_looks;
    return c;
  }

  result<std::unique_ptr<source>> make_source() {
    const option_values options("job.json", "reader.parameter", parameter, nullptr,
                                text_reader_description().options, d);
    return make_text_source(options, context());
  }

  result<outcome> read() {
    SLUICE_TRY(auto from, make_source());
    SLUICE_TRY(const auto description, from->open({}));
    SLUICE_TRY(const auto splits, from->plan_splits(advice, {}));
    SLUICE_TRY(auto reader, from->make_reader());
    outcome out;
    out.columns = *description.columns;
    out.splits = splits.size();
    for (const split& s : splits) {
      SLUICE_CHECK(reader->open(s.description, after, {}));
      SLUICE_CHECK(read_split(*reader, description.columns, out));
    }
    SLUICE_CHECK(from->check_unchanged({}));
    out.pool_bytes_peak = pool->bytes_held_peak();
    return out;
  }

  /// Reads the split that `r` has open.
  result<void> read_split(reader& r, const schema_ptr& columns, outcome& out) {
    batch_builder builder(columns, pool, limits);
    for (;;) {
      SLUICE_TRY(const read_answer answer, r.read(builder, {}));
      if (answer.what == read_answer::kind::needs) {
        ++out.needs;
        out.needs_bytes_max = std::max(out.needs_bytes_max, answer.bytes);
        auto more = limits;
        if (answer.bytes <= builder.limit().bytes_max) {
          return fail(error_kind::internal, "asked for {} and has {}", answer.bytes,
                      builder.limit().bytes_max);
        }
        more.bytes_max = answer.bytes;
        builder.set_limits(more);
        continue;
      }
      EXPECT_LE(builder.bytes(), builder.limit().bytes_max + 4096);
      builder.set_limits(limits);
      keep(*builder.seal(out.records), out);
      if (answer.what == read_answer::kind::end || (batches_max && out.cursors.size() >= *batches_max)) {
        return {};
      }
    }
  }

 private:
  static void keep(const batch& b, outcome& out) {
    auto changed = b.changed_as_read;
    std::sort(changed.begin(), changed.end(), [](const changed_value& x, const changed_value& y) {
      return std::pair(x.row, x.column) < std::pair(y.row, y.column);
    });
    for (const changed_value& c : changed) {
      out.changes.push_back(
          fmt::format("{}.{} {}", out.rows.size() + c.row, c.column, sluice::to_string(c.rule)));
    }
    for (std::uint32_t i = 0; i < b.rows; ++i) {
      row r;
      for (std::size_t c = 0; c < b.columns.size(); ++c) {
        r.values.push_back(value_text(b.columns[c], (*b.columns_schema)[c].type, i));
      }
      r.position = b.position_of(i);
      if (b.places) {
        r.byte_offset = b.places->byte_offset_first + b.places->byte_deltas.as<std::uint32_t>()[i];
        r.line = b.places->line_first == 0
                     ? 0
                     : b.places->line_first +
                           (b.places->line_deltas.empty() ? i : b.places->line_deltas.as<std::uint32_t>()[i]);
      }
      out.rows.push_back(std::move(r));
    }
    out.dirty.insert(out.dirty.end(), b.dirty.begin(), b.dirty.end());
    out.records += b.records_read;
    if (b.after) {
      out.cursors.push_back(*b.after);
      out.rows_at_cursor.push_back(out.rows.size());
      out.dirty_at_cursor.push_back(out.dirty.size());
    }
  }
};

/// Rows as one text: fields joined by `|`, NULL as `~`, rows by a line end.
inline std::string shown(const outcome& o) {
  std::string text;
  for (const row& r : o.rows) {
    for (std::size_t c = 0; c < r.values.size(); ++c) {
      text += (c == 0 ? "" : "|") + r.values[c].value_or("~");
    }
    text += '\n';
  }
  return text;
}

/// Dirty records as `line:code` joined by blanks.
inline std::string shown_dirty(const outcome& o) {
  std::string text;
  for (const dirty_record& d : o.dirty) {
    text += (text.empty() ? "" : " ") + std::to_string(d.line.value_or(0)) + ":" + d.code;
  }
  return text;
}

}  // namespace sluice::text_reading
