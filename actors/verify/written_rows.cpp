#include "actors/verify/written_rows.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t row_bytes = sizeof(uint128);
/// Rows that are written to a file, or read from it, at a time.
constexpr std::size_t rows_at_a_time = 4096;

std::string folder_of(const std::string& run_folder) {
  return run_folder + "/written";
}

/// What all writers of a run share.
struct keeping {
  std::function<std::string()> folder;
  row_form form;
  std::uint64_t rows_max = 0;
  std::atomic<std::uint64_t> rows{0};
  std::atomic<bool> given_up{false};

  /// Of a run whose rows are not all kept none are of use.
  void give_up() {
    given_up = true;
    std::error_code ignored;
    fs::remove_all(folder_of(folder()), ignored);
  }
};

/// The file of one split. Nothing fails: what cannot be kept is not.
class split_file {
 public:
  explicit split_file(std::shared_ptr<keeping> by) : by_(std::move(by)) {}

  /// `rows` of those that are there count.
  void open(split_index split, std::uint64_t rows) {
    close();
    if (by_->given_up) {
      return;
    }
    const std::string folder = folder_of(by_->folder());
    const std::string path = folder + "/" + std::to_string(split.value);
    std::error_code failed;
    fs::create_directory(folder, failed);
    const std::uintmax_t there = fs::file_size(path, failed);
    if (!failed && there > rows * row_bytes) {
      fs::resize_file(path, rows * row_bytes, failed);
    }
    file_.open(path, std::ios::binary | std::ios::app);
    if (!file_ || (failed && rows != 0)) {
      by_->give_up();
    }
  }
  void add(row_sum row) {
    const auto value = row.value;
    std::memcpy(waiting_.data() + filled_, &value, row_bytes);
    filled_ += row_bytes;
    if (filled_ == waiting_.size()) {
      flush();
    }
  }
  void flush() {
    const std::size_t bytes = std::exchange(filled_, 0);
    if (by_->given_up || bytes == 0) {
      return;
    }
    by_->rows += bytes / row_bytes;
    if (by_->rows > by_->rows_max ||
        !file_.write(waiting_.data(), static_cast<std::streamsize>(bytes)).flush()) {
      by_->give_up();
    }
  }
  void close() {
    filled_ = 0;
    file_.close();
    file_.clear();
  }

 private:
  std::shared_ptr<keeping> by_;
  std::ofstream file_;
  std::array<char, rows_at_a_time * row_bytes> waiting_{};
  std::size_t filled_ = 0;
};

class keeping_writer final : public writer {
 public:
  keeping_writer(std::unique_ptr<writer> to, compared_columns form, std::shared_ptr<keeping> by)
      : to_(std::move(to)), form_(std::move(form)), by_(by), file_(std::move(by)) {}

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override {
    SLUICE_TRY(mark at, to_->open(split, epoch, stop));
    file_.open(split, at.counts.written + at.counts.ignored);
    return at;
  }
  result<write_answer> write(const batch& b, const stop_signal& stop) override {
    SLUICE_TRY(write_answer answer, to_->write(b, stop));
    if (!by_->given_up) {
      const std::vector<row_sum> rows = hash_rows_of(compared_form(b, form_), b.rows, form_).rows;
      auto refused = answer.refused.begin();
      for (std::uint32_t row = 0; row < rows.size(); ++row) {
        if (refused != answer.refused.end() && refused->row == row) {
          ++refused;
        } else {
          file_.add(rows[row]);
        }
      }
    }
    return answer;
  }
  /// What the mark counts is kept before it is made: whoever goes on behind it takes away what it does not.
  result<void> commit(const mark& m, const stop_signal& stop) override {
    file_.flush();
    SLUICE_CHECK(to_->commit(m, stop));
    if (m.done) {
      file_.close();
    }
    return {};
  }
  void rollback() override {
    file_.close();
    to_->rollback();
  }
  void forbid_reading_again() override { to_->forbid_reading_again(); }
  [[nodiscard]] bool commits_by_bytes() const override { return to_->commits_by_bytes(); }
  void interrupt() override { to_->interrupt(); }

 private:
  std::unique_ptr<writer> to_;
  compared_columns form_;
  std::shared_ptr<keeping> by_;
  split_file file_;
};

class keeping_target final : public target {
 public:
  keeping_target(std::shared_ptr<target> to, std::shared_ptr<keeping> by)
      : to_(std::move(to)), by_(std::move(by)) {}

  void know_source(std::shared_ptr<const table_facts> table) override { to_->know_source(std::move(table)); }
  result<void> connect_early(const stop_signal& stop) override { return to_->connect_early(stop); }
  result<target_description> open(const schema& source_columns, const stop_signal& stop) override {
    return to_->open(source_columns, stop);
  }
  progress_store* progress() override { return to_->progress(); }
  [[nodiscard]] table_use tables_used() const override { return to_->tables_used(); }
  result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) override {
    return to_->check_rows(rows, at_end, stop);
  }
  result<void> prepare(const run_id& run, const stop_signal& stop) override {
    return to_->prepare(run, stop);
  }
  result<void> check_steps(const stop_signal& stop) override { return to_->check_steps(stop); }
  [[nodiscard]] std::vector<target_step> steps_before() const override { return to_->steps_before(); }
  [[nodiscard]] std::vector<target_step> steps_after() const override { return to_->steps_after(); }
  result<void> run_step_before(std::size_t index, const stop_signal& stop) override {
    return to_->run_step_before(index, stop);
  }
  result<void> run_step_after(std::size_t index, const stop_signal& stop) override {
    return to_->run_step_after(index, stop);
  }
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    SLUICE_TRY(auto made, to_->make_writer(columns));
    auto form = by_->form(columns);
    if (!form) {
      by_->give_up();
      return made;
    }
    return std::make_unique<keeping_writer>(std::move(made), std::move(*form), by_);
  }
  result<void> finish(const stop_signal& stop) override { return to_->finish(stop); }
  void abandon() override { to_->abandon(); }
  void interrupt() override { to_->interrupt(); }

 private:
  std::shared_ptr<target> to_;
  std::shared_ptr<keeping> by_;
};

/// Calls `take` for each row that is kept; false where a file cannot be read.
template <class Take>
bool each_row(const std::string& run_folder, const Take& take) {
  std::error_code failed;
  std::vector<uint128> rows(rows_at_a_time);
  for (auto at = fs::directory_iterator(folder_of(run_folder), failed);
       !failed && at != fs::directory_iterator(); at.increment(failed)) {
    std::ifstream file(at->path(), std::ios::binary);
    while (file.read(reinterpret_cast<char*>(rows.data()),
                     static_cast<std::streamsize>(rows.size() * row_bytes)) ||
           file.gcount() != 0) {
      const auto bytes = static_cast<std::size_t>(file.gcount());
      std::for_each_n(rows.begin(), bytes / row_bytes, [&](uint128 row) { take(row_sum{row}); });
    }
    if (!file.eof()) {
      return false;
    }
  }
  return !failed;
}

std::uint64_t rows_in(const std::string& run_folder) {
  std::error_code failed;
  std::uintmax_t bytes = 0;
  for (auto at = fs::directory_iterator(folder_of(run_folder), failed);
       !failed && at != fs::directory_iterator(); at.increment(failed)) {
    bytes += at->file_size(failed);
  }
  return failed ? 0 : bytes / row_bytes;
}

std::uint64_t half_of(row_sum row) {
  return static_cast<std::uint64_t>(row.value >> 64);
}

}  // namespace

bool is_padded(const field& f) {
  return f.type.id == type_id::utf8 &&
         (f.source_type_name.starts_with("character(") || f.source_type_name.starts_with("char("));
}

row_form row_form_of(const plugin& writer_plugin, const option_values& writer, std::string time_zone) {
  return [&writer_plugin, &writer,
          zone_name = std::move(time_zone)](const schema_ptr& columns) -> result<compared_columns> {
    std::vector<std::string> names;
    for (const field& f : *columns) {
      names.push_back(f.name);
    }
    SLUICE_TRY(const read_back how, writer_plugin.read_back_of(writer, names));
    SLUICE_TRY(const auto zone, time_zone::find(zone_name));
    compared_columns by;
    by.columns = columns;
    for (std::uint32_t i = 0; i < columns->size(); ++i) {
      by.taken.push_back(i);
      if (how.text_of) {
        SLUICE_TRY(by.texts.emplace_back(), how.text_of((*columns)[i], zone));
      } else if (is_padded((*columns)[i])) {
        by.padded.push_back(i);
      }
    }
    return by;
  };
}

std::shared_ptr<target> keeping_written_rows(std::shared_ptr<target> to, std::function<std::string()> folder,
                                             row_form form, std::uint64_t rows_max) {
  auto by = std::make_shared<keeping>();
  by->folder = std::move(folder);
  by->form = std::move(form);
  by->rows_max = rows_max;
  return std::make_shared<keeping_target>(std::move(to), std::move(by));
}

std::uint64_t written_rows::times(row_sum row) const {
  const auto [first, last] = std::equal_range(known.begin(), known.end(), half_of(row));
  return static_cast<std::uint64_t>(last - first);
}

std::optional<written_rows> read_written_rows(const std::string& folder, std::uint64_t rows,
                                              std::uint64_t rows_max) {
  written_rows out;
  if (rows == 0) {
    return out;
  }
  if (rows > rows_max || rows_in(folder) != rows) {
    return std::nullopt;
  }
  out.known.reserve(rows);
  const bool read = each_row(folder, [&](row_sum row) {
    out.known.push_back(half_of(row));
    out.all.add(row, row);
  });
  if (!read || out.all.rows != rows) {
    return std::nullopt;
  }
  std::sort(out.known.begin(), out.known.end());
  return out;
}

gather_reading::rows_by_key gather_written_rows(const std::string& folder, const std::vector<bool>& heaps) {
  gather_reading::rows_by_key out;
  each_row(folder, [&](row_sum row) {
    if (heaps[heap_of(row)]) {
      auto& of = out[row];
      if (of.empty()) {
        of.emplace_back(row, 0);
      }
      ++of.front().second;
    }
  });
  return out;
}

}  // namespace sluice
