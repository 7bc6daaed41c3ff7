#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobspec/json_path.h"
#include "transport/base/error.h"

namespace sluice {

/// Collects all that is wrong with, or odd about, one job file. One thread.
class findings {
 public:
  findings(std::string file, std::shared_ptr<const json_places> places, bool strict)
      : file_(std::move(file)), places_(std::move(places)), strict_(strict) {}

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::shared_ptr<const json_places>& places() const { return places_; }
  [[nodiscard]] std::string place(std::string_view path) const {
    return place_text(file_, places_.get(), path);
  }

  /// `message` behind the place of `path`.
  void error(std::string_view path, std::string_view message) { errors_.push_back(line(path, message)); }
  void warning(std::string_view path, std::string_view message) { warnings_.push_back(line(path, message)); }
  /// An error because Sluice does not have `what` (`mongodb reader`) yet.
  void not_supported(std::string_view path, std::string what, std::string_view message) {
    error(path, message);
    not_supported_.push_back(std::move(what));
  }
  /// What `--strict` refuses and only warns of else.
  void odd(std::string_view path, std::string_view message) {
    (strict_ ? errors_ : warnings_).push_back(line(path, message));
  }
  /// A failure whose message has its place already.
  void error(const sluice::error& failure, std::pair<std::uint32_t, std::uint32_t> position) {
    errors_.push_back({position, failure.message});
  }

  [[nodiscard]] bool any_error() const { return !errors_.empty(); }
  /// The lines in the order of the file, none twice; both are empty afterwards.
  std::vector<std::string> take_errors() { return take(errors_); }
  std::vector<std::string> take_not_supported() { return std::move(not_supported_); }
  std::vector<std::string> take_warnings() { return take(warnings_); }

 private:
  struct found_line {
    std::pair<std::uint32_t, std::uint32_t> position;
    std::string text;
  };

  [[nodiscard]] found_line line(std::string_view path, std::string_view message) const {
    return {position_of(places_.get(), path), fmt::format("{}: {}", place(path), message)};
  }

  static std::vector<std::string> take(std::vector<found_line>& lines) {
    std::stable_sort(lines.begin(), lines.end(),
                     [](const found_line& a, const found_line& b) { return a.position < b.position; });
    std::vector<std::string> out;
    for (auto& l : lines) {
      if (std::find(out.begin(), out.end(), l.text) == out.end()) {
        out.push_back(std::move(l.text));
      }
    }
    lines.clear();
    return out;
  }

  std::string file_;
  std::shared_ptr<const json_places> places_;
  bool strict_;
  std::vector<found_line> errors_;
  std::vector<found_line> warnings_;
  std::vector<std::string> not_supported_;
};

}  // namespace sluice
