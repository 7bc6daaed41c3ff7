#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option.h"
#include "transport/base/result.h"
#include "transport/base/secret.h"

namespace sluice {

/// Which of the two formats a job file is in; defaults differ (job-formats 8.3).
enum class dialect { script2, datax };

/// Where in the job file a JSON value stands: line and column from 1 (columns count characters), by JSON path
/// (`steps[0].parameter.table`). Line 0: not in the file, set by `--set`.
using json_places = std::map<std::string, std::pair<std::uint32_t, std::uint32_t>, std::less<>>;

/// What stands among a step's options without standing in the job: the values of a data source, by their full
/// path.
struct supplied_values {
  std::map<std::string, std::string, std::less<>> origins;  ///< Where they stand, for messages.
  std::map<std::string, secret_text, std::less<>> secrets;  ///< In the JSON they are `***`.
};

/// The values of one step's options: typed access by name, defaults from the description, and the place of
/// each for messages. Secrets are taken out at once: in the JSON `***` stands in their place. Immutable;
/// copies share the document.
class option_values {
 public:
  option_values() = default;
  /// `file` and `path` locate `parameter` (`orders.json`, `steps[0].parameter`). `defaults` go before those
  /// of `described`; both outlive this. Relative paths of secrets (`${file:pw}`) begin in `secrets_folder`;
  /// empty: the process's own folder.
  option_values(std::string file, std::string path, nlohmann::json parameter,
                std::shared_ptr<const json_places> places, const std::vector<option>& described, dialect d,
                const std::vector<option_default>* defaults = nullptr, const supplied_values& supplied = {},
                const std::string& secrets_folder = {});

  [[nodiscard]] dialect job_dialect() const { return dialect_; }
  /// Where these values stand in the job: `steps[0].parameter`.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The parameter object as in the file, after substitution, without its secrets.
  [[nodiscard]] const nlohmann::json& json() const { return json_; }

  /// `orders.json:14:22 steps[0].parameter.splitPk`: for the beginning of a message. `name` may be a path
  /// below the parameter such as `column[3].type`; the place of the nearest parent is given where it is
  /// absent.
  [[nodiscard]] std::string place(std::string_view name) const;
  /// Line and column of the same; 0, 0 where nothing is known.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> position(std::string_view name) const;

  /// Whether the option is set in the file (blank counts as unset where it does, job-formats 8.1).
  [[nodiscard]] bool has(std::string_view name) const;

  // Typed access: the file's value, else the dialect's default, else nothing. `bad_option` with place, value
  // found and type expected where the value is of another type, out of range or not among those allowed. One
  // of `allowed` is returned as it is spelled there. A secret's value is never part of a message.
  [[nodiscard]] result<std::optional<std::string>> text(std::string_view name) const;
  [[nodiscard]] result<std::optional<std::int64_t>> integer(std::string_view name) const;
  [[nodiscard]] result<std::optional<double>> number(std::string_view name) const;
  [[nodiscard]] result<std::optional<bool>> boolean(std::string_view name) const;
  [[nodiscard]] result<std::vector<std::string>> text_list(std::string_view name) const;
  /// A secret option as it is written; nothing where it is unset. The connection's code has it looked up with
  /// `plugin_context::resolve_secret` each time it connects. `bad_option` where a reference in it is broken.
  [[nodiscard]] result<std::optional<secret_text>> secret_of(std::string_view name) const;
  /// All secrets among these values and their members, by full path, but those that are broken.
  [[nodiscard]] std::map<std::string, secret_text> secrets_by_path() const;
  /// A member object as values of its own (`csvReaderConfig`), described by the option's members; one without
  /// any value where the option is unset.
  [[nodiscard]] result<option_values> object(std::string_view name) const;
  [[nodiscard]] result<std::vector<option_values>> object_list(std::string_view name) const;

  /// The same values with `changes` put in (RFC 7386: null takes a key away), as options that `described`,
  /// which outlives it, describes. Secrets stay what they are; `changes` has none.
  [[nodiscard]] option_values changed(const nlohmann::json& changes,
                                      const std::vector<option>& described) const;

  /// `bad_option` at the place of `name`; the message must not hold a secret.
  [[nodiscard]] tl::unexpected<error> bad(std::string_view name, std::string_view message) const;

 private:
  struct found_value;
  [[nodiscard]] const option* described(std::string_view name) const;
  [[nodiscard]] const std::string& default_of(const option& o) const;
  [[nodiscard]] found_value find(std::string_view name) const;
  [[nodiscard]] std::string full_path(std::string_view name) const;
  [[nodiscard]] option_values member(std::string_view path, const nlohmann::json& value,
                                     const option* o) const;
  [[nodiscard]] tl::unexpected<error> mismatch(const found_value& found, std::string_view expected) const;
  [[nodiscard]] result<std::string> text_of(const found_value& found, const nlohmann::json& value) const;

  using secret_map = std::map<std::string, result<secret_text>, std::less<>>;
  /// Moves the secrets of `value` to `to`; `all`: every scalar in it is one.
  void take_secrets(nlohmann::json& value, const std::string& path, const std::vector<option>& described,
                    bool all, const std::string& folder, secret_map& to) const;

  std::string file_;
  std::string path_;
  nlohmann::json json_ = nlohmann::json::object();
  std::shared_ptr<const json_places> places_;
  std::shared_ptr<const secret_map> secrets_;  ///< By full path.
  std::shared_ptr<const std::map<std::string, std::string, std::less<>>> origins_;
  const std::vector<option>* options_ = nullptr;
  const std::vector<option_default>* defaults_ = nullptr;
  dialect dialect_ = dialect::script2;
};

}  // namespace sluice
