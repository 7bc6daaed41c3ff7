#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "plugins/text/line_places.h"
#include "plugins/text/text_file_reader.h"
#include "plugins/text/text_reader.h"

namespace sluice {

/// The files of one run. `open` finds them, looks at the first record where columns come from there, and
/// keeps size and time of each; `check_unchanged` compares them at the end.
class text_source final : public source {
 public:
  text_source(option_values options, plugin_context context, text_layout layout);

  result<source_description> open(const stop_signal& stop) override;
  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) override;
  result<void> take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) override;
  result<std::unique_ptr<reader>> make_reader() override;
  result<void> check_unchanged(const stop_signal& stop) override;
  std::optional<std::uint64_t> line_at(const std::string& file, std::uint64_t byte_offset,
                                       const stop_signal& stop) override;

 private:
  struct known_file {
    std::string path;
    file_identity identity;
    file_use use;
  };
  result<bool> await_marker(const stop_signal& stop);
  result<void> find_files(const stop_signal& stop);
  result<void> check_kind(const file_handle& file) const;
  result<void> bind_columns();
  result<std::vector<std::string>> first_record(const known_file& file, bool& any);
  result<void> compare_headings();
  result<void> look_for_keys(const known_file& file);
  static std::string near_key(const std::string& key, const std::vector<std::string>& there);
  void warn_of_key(std::size_t column, const std::string& where, const std::vector<std::string>& there) const;
  result<std::size_t> field_of(const column_spec& column, const std::vector<std::string>& headings) const;
  result<void> split_file(const known_file& file, std::uint64_t split_bytes, const stop_signal& stop,
                          std::vector<split>& splits);
  result<void> take_up_changed(const file_part& part, const frozen_split& s, const file_handle& file,
                               const file_identity& now, const stop_signal& stop);
  void tell_of_new_files(const std::set<std::string>& planned) const;
  [[nodiscard]] bool splittable() const;

  option_values options_;
  plugin_context context_;
  std::shared_ptr<const text_layout> layout_;
  std::shared_ptr<const bound_columns> bound_;
  std::vector<known_file> files_;
  std::set<std::size_t> told_of_;               ///< Columns whose keys no record has, told beforehand.
  std::shared_ptr<changed_files> changed_;      ///< Of a continued run; readers share it.
  std::mutex counting_;                         ///< Guards what follows: any writer's thread may ask.
  std::map<std::string, line_places> counted_;  ///< By path.
};

}  // namespace sluice
