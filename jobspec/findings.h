#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobspec/json_path.h"
#include "jobspec/secrets.h"
#include "transport/base/error.h"

namespace sluice {

/// Collects all that is wrong with, or odd about, one job file. Messages may repeat what stands there:
/// secrets in them are hidden here. One thread.
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
  void error(std::string_view path, std::string_view message) { error_about(path, path, message); }
  /// The same where it says something of `subject`, which does not stand in the file.
  void error_about(std::string_view path, std::string_view subject, std::string_view message) {
    errors_.push_back(line(path, message));
    subjects_.emplace(subject);
  }
  /// A line with its place, of somebody who did not know what has been found. Left out where something has
  /// been said of that place already.
  void error_of_another(const std::string& line_with_place) {
    const found_line found = placed(line_with_place);
    if (found.pattern.empty() || !subjects_.contains(found.pattern)) {
      errors_.push_back({found.position, found.text});
    }
  }
  void warning_of_another(const std::string& line_with_place) {
    warnings_.push_back({placed(line_with_place).position, hide_secrets(line_with_place)});
  }
  void warning(std::string_view path, std::string_view message) { warnings_.push_back(line(path, message)); }
  /// What `--strict` refuses and only warns of else.
  void odd(std::string_view path, std::string_view message) {
    (strict_ ? errors_ : warnings_).push_back(line(path, message));
  }
  /// The same for a key, said once for all places that differ only in an index: a list of a hundred columns
  /// may have it a hundred times.
  void odd_key(std::string_view path, std::string_view message) {
    const std::string pattern = path_without_indices(path);
    if (auto& times = odd_keys_[pattern]; ++times == 1) {
      auto found = line(path, message);
      found.pattern = pattern;
      (strict_ ? errors_ : warnings_).push_back(std::move(found));
    }
  }
  /// What a right job may ask and Sluice does not have yet: `what` is its name for counts, `reader mongodb`.
  void not_supported(std::string_view path, std::string what, std::string_view message) {
    errors_.push_back(line(path, message));
    not_supported_.push_back(std::move(what));
  }
  /// A failure whose message has its place already. Left out where something has been said of that place.
  void error(const sluice::error& failure, std::pair<std::uint32_t, std::uint32_t> position) {
    const std::string subject = placed(failure.message).pattern;
    // A variable without a value is said once; that its name is no number is not said as well.
    if (subject.empty() || subjects_.insert(subject).second) {
      errors_.push_back({position, hide_secrets(failure.message)});
    }
  }

  [[nodiscard]] std::size_t error_count() const { return errors_.size(); }
  [[nodiscard]] bool any_error() const { return !errors_.empty(); }
  /// Whether every error is something not supported yet.
  [[nodiscard]] bool only_not_supported() const {
    return !errors_.empty() && errors_.size() == not_supported_.size();
  }
  [[nodiscard]] const std::vector<std::string>& not_supported() const { return not_supported_; }
  /// The lines in the order of the file, none twice; both are empty afterwards.
  std::vector<std::string> take_errors() { return take(errors_); }
  std::vector<std::string> take_warnings() { return take(warnings_); }

 private:
  struct found_line {
    std::pair<std::uint32_t, std::uint32_t> position;
    std::string text;
    std::string pattern = {};  ///< Of a key: the path without its indices.
  };

  [[nodiscard]] found_line line(std::string_view path, std::string_view message) const {
    return {position_of(places_.get(), path), fmt::format("{}: {}", place(path), hide_secrets(message))};
  }

  /// Takes `file:14:22 path: message` apart; `pattern` is the path.
  [[nodiscard]] found_line placed(const std::string& text) const {
    found_line out{{0, 0}, hide_secrets(text), {}};
    std::string_view rest = text;
    if (!rest.starts_with(file_ + ":")) {
      return out;
    }
    rest.remove_prefix(file_.size() + 1);
    const auto number = [&rest](std::uint32_t& to) {
      const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), to);
      rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
      rest.remove_prefix(rest.empty() ? 0 : 1);
    };
    number(out.position.first);
    number(out.position.second);
    out.pattern = rest.substr(0, rest.find(": "));
    return out;
  }

  std::vector<std::string> take(std::vector<found_line>& lines) {
    std::stable_sort(lines.begin(), lines.end(),
                     [](const found_line& a, const found_line& b) { return a.position < b.position; });
    std::vector<std::string> out;
    for (auto& l : lines) {
      if (const auto times = odd_keys_.find(l.pattern); times != odd_keys_.end() && times->second > 1) {
        l.text += fmt::format(" ({} times in this list)", times->second);
      }
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
  std::set<std::string, std::less<>> subjects_;  ///< Paths of which an error speaks.
  std::map<std::string, std::size_t> odd_keys_;
  std::vector<std::string> not_supported_;
};

}  // namespace sluice
