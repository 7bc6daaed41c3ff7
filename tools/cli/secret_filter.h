#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/job.h"

namespace sluice {

/// Takes secrets out of texts: the values of parameters named like secrets (`looks_secret`), and of the
/// options that a plugin describes as secret, as they are and as JSON writes them. Values of less than 4
/// bytes are only masked where they stand alone, because replacing them everywhere would destroy the text and
/// show where they were. Immutable after construction; thread-safe.
class secret_filter {
 public:
  secret_filter() = default;
  explicit secret_filter(const std::map<std::string, std::string>& parameters);
  /// Adds the values of parameters named like secrets.
  void add_parameters(const std::map<std::string, std::string>& parameters);
  /// Adds the secret options of a step by its plugin's description.
  void add_options(const option_values& values, const std::vector<option>& described);

  /// The text with each secret as `***`.
  [[nodiscard]] std::string apply(std::string text) const;
  /// The parameters with values of secret ones as `***`.
  [[nodiscard]] std::map<std::string, std::string> apply(
      const std::map<std::string, std::string>& parameters) const;

 private:
  void add(const std::string& value);
  void add_members(const nlohmann::json& object, const std::vector<option>& described);
  std::vector<std::string> values_;  ///< Longest first, so that one inside another leaves no rest.
};

}  // namespace sluice
