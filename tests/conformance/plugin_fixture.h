#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace sluice::testing {

/// A folder of its own for a test, removed with it.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Names of all files in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text);

/// `parameter`, a JSON object's text, as the values of the options of one side.
option_values options_of(const side_description& side, std::string_view parameter,
                         dialect d = dialect::script2);

/// A context as the engine would give it, with zone UTC.
plugin_context context_for_test(std::uint8_t run_number = 1);

/// What a source says, or a failed test.
struct opened_source {
  std::unique_ptr<source> object;
  source_description description;
  std::vector<split> splits;
};
opened_source open_source(const plugin& p, std::string_view parameter, std::uint32_t advice = 1,
                          const plugin_context& context = context_for_test());

/// Everything that a split holds, read with the given limits; `needs` is answered with room, and counted.
std::vector<std::shared_ptr<batch>> read_split(reader& r, const source_description& described, const split& s,
                                               const batch_builder::limits& limits,
                                               const std::optional<cursor>& after = std::nullopt,
                                               std::size_t* needs = nullptr);

/// Each row of the batches as one text: `value|value`, NULL as `<null>`.
std::vector<std::string> rows_of(const std::vector<std::shared_ptr<batch>>& batches);

/// A batch of columns of text with the given rows; NULL as nullptr.
using text_row = std::vector<const char*>;
std::shared_ptr<batch> text_batch(const std::vector<std::string>& names, const std::vector<text_row>& rows);

}  // namespace sluice::testing
