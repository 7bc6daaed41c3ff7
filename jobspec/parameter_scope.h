#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/planned_time.h"
#include "transport/base/result.h"

namespace sluice {

/// A parameter as it was given.
struct given_parameter {
  std::string text;
  std::string origin = "-p";  ///< `-p`, `days.txt:3`.
  bool literal = false;       ///< Put in as it is: DataX's `-Dname=value`.
};
using given_parameters = std::map<std::string, given_parameter, std::less<>>;

/// The value of one variable of a job, and where it comes from.
struct variable_value {
  std::string text;                  ///< What is put in.
  std::string expression;            ///< What it was made of: the text given, or the expression itself.
  std::string origin;                ///< `-p`, `days.txt:3`, `--bizdate 20250719`, `the job`.
  std::set<std::string> parameters;  ///< The given parameters in it, itself and those its value names.
  bool uses_date = false;            ///< It changes with the planned time.
  std::string doubt;                 ///< A sentence where an expression may not mean what it says.
};

/// The longest value a parameter may come to. Parameters name each other, so a few short ones could fill the
/// memory.
inline constexpr std::size_t parameter_bytes_max = std::size_t{1} << 20;
/// How far parameters may name each other.
inline constexpr std::size_t parameter_depth_max = 16;

/// Resolves the variables of one job (job-formats 4.2, 4.3, 4.6), in this order: a given parameter; `bizdate`
/// and `cyctime` where a flag says for which time the run is; a predefined name such as `bdp.system.bizdate`;
/// a date format.
///
/// A given value may itself hold expressions, built-ins and other parameters; one that names itself
/// (`bizdate=$bizdate`, `yyyymmdd=${yyyymmdd}`) means what the name stands for without being given. Values of
/// parameters whose names say that they are secrets are never looked into. What has been put in is not looked
/// at again. Refers to what it is made of; one thread.
class parameter_scope {
 public:
  /// `planned` null: no planned time is known, and whatever needs one is an error.
  parameter_scope(const given_parameters& given, const planned_time* planned)
      : given_(given), planned_(planned) {}

  [[nodiscard]] const given_parameters& given() const { return given_; }

  /// The value of a name, without the formats: a given parameter, an assigned or a predefined name. Nothing
  /// where it is none of these; `bad_option` where its value is wrong.
  [[nodiscard]] result<std::optional<variable_value>> named(std::string_view name) const;
  /// The value of `$name`: a given parameter, else a built-in; nothing for any other word.
  [[nodiscard]] result<std::optional<variable_value>> word(std::string_view name) const;
  /// The value of `${...}` or `$[...]`, brackets included. `bad_option` where it has none, with the code
  /// `parameter_missing` where a name is not assigned.
  [[nodiscard]] result<variable_value> expression(std::string_view written) const;

  /// How to give `name` a value, for messages: `-p 'bizdate=$bizdate'`, `-p city=VALUE`.
  [[nodiscard]] static std::string cure(std::string_view name);
  /// ` (given is "city")` where a given name is near, else empty.
  [[nodiscard]] std::string near_given(std::string_view name) const;

 private:
  /// The parameters whose values are being read, outermost first.
  using path = std::vector<std::string_view>;
  [[nodiscard]] result<std::optional<variable_value>> named(std::string_view name, const path& inside) const;
  /// Whether a flag gives the parameter the built-in's value.
  [[nodiscard]] bool is_assigned(std::string_view name) const;
  [[nodiscard]] result<std::optional<variable_value>> built_in(std::string_view name) const;
  [[nodiscard]] result<variable_value> expression(std::string_view written, const path& inside) const;
  [[nodiscard]] result<variable_value> date(std::string_view written) const;
  [[nodiscard]] result<variable_value> evaluate(std::string_view name, const given_parameter& one,
                                                const path& inside) const;

  const given_parameters& given_;
  const planned_time* planned_;
  /// Each value is read once: parameters that name each other would multiply the work.
  mutable std::map<std::string_view, result<variable_value>> read_;
};

/// A `$` in a text and what belongs to it.
struct written_variable {
  enum class form {
    braces,    ///< `${...}`
    brackets,  ///< `$[...]` with a letter first, blanks before it or not; others (`$[0]`) are text.
    word,      ///< `$name`; the name may be empty.
    unclosed,  ///< `${` or `$[` to the end of the text.
  };
  form kind = form::word;
  std::string_view whole;
  std::string_view name;  ///< What stands in brackets, or behind the dollar sign.
};

/// `text` with every variable replaced by what `put` appends to the text done so far. References to secrets
/// stay as they are.
std::string replace_variables(std::string_view text,
                              const std::function<void(const written_variable&, std::string& done)>& put);

/// Whether `text` may be the name of a parameter: letters, digits, `_` and dots, no digit first.
bool is_parameter_name(std::string_view text);

/// Where the word that begins at `at` ends.
std::size_t word_end(std::string_view text, std::size_t at);

}  // namespace sluice
