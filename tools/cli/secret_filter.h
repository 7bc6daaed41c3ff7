#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/job.h"
#include "tools/cli/environment.h"
#include "transport/base/secret_resolver.h"

namespace sluice {

/// Takes secrets out of texts: the values of parameters named like secrets (`looks_secret`), and of the
/// options that a plugin describes as secret, as they are and as JSON writes them. Values of less than 4
/// bytes are only masked where they stand alone, because replacing them everywhere would destroy the text and
/// show where they were. Where a server quotes the rest of a text behind the place it stumbled at, a secret's
/// rest is masked, too. Learns while the run goes on what is looked up for connections. Thread-safe.
class secret_filter {
 public:
  secret_filter() = default;
  explicit secret_filter(const std::map<std::string, std::string>& parameters);
  /// Adds the values of parameters named like secrets.
  void add_parameters(const std::map<std::string, std::string>& parameters);
  secret_filter(const secret_filter&) = delete;
  secret_filter& operator=(const secret_filter&) = delete;
  /// Adds the secrets of a step that stand there in clear.
  void add_options(const option_values& values);
  /// Adds what of a secret is written in clear.
  void add(const secret_text& written);
  /// Adds a value that was looked up.
  void add(std::string_view value);

  /// The text with each secret as `***`.
  [[nodiscard]] std::string apply(std::string text) const;
  /// The parameters with values of secret ones as `***`.
  [[nodiscard]] std::map<std::string, std::string> apply(
      const std::map<std::string, std::string>& parameters) const;

 private:
  mutable std::mutex mutex_;
  [[nodiscard]] std::string without_rests(std::string text) const;

  std::vector<std::string> values_;  ///< Longest first, so that one inside another leaves no rest.
  std::vector<std::string> rests_;   ///< What stands behind each border of a word in them, longest first.
};

/// What looks references up by `variable`, adding each value found to `shown` and telling warnings to `warn`.
/// Keeps a reference to `shown`.
secret_resolver::surroundings resolving_into(secret_filter& shown, const environment& variable,
                                             std::function<void(std::string)> warn);

}  // namespace sluice
