#pragma once

#include <map>
#include <memory>
#include <mutex>
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
  result<std::unique_ptr<reader>> make_reader() override;
  result<void> check_unchanged(const stop_signal& stop) override;
  std::optional<std::uint64_t> line_at(const std::string& file, std::uint64_t byte_offset,
                                       const stop_signal& stop) override;

 private:
  struct known_file {
    std::string path;
    file_identity identity;
  };
  result<void> await_marker(const stop_signal& stop);
  result<void> find_files(const stop_signal& stop);
  result<void> bind_columns();
  result<std::vector<std::string>> first_record(const known_file& file, bool& any);
  result<void> compare_headings();
  result<std::size_t> field_of(const column_spec& column, const std::vector<std::string>& headings) const;
  result<void> split_file(const known_file& file, std::uint64_t split_bytes, const stop_signal& stop,
                          std::vector<split>& splits);
  [[nodiscard]] bool splittable() const;

  option_values options_;
  plugin_context context_;
  std::shared_ptr<const text_layout> layout_;
  std::shared_ptr<const bound_columns> bound_;
  std::vector<known_file> files_;
  std::mutex counting_;                         ///< Guards what follows: any writer's thread may ask.
  std::map<std::string, line_places> counted_;  ///< By path.
};

}  // namespace sluice
