#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jobspec/findings.h"
#include "jobspec/loose_json.h"
#include "jobspec/option_values.h"
#include "jobspec/parameter_scope.h"

namespace sluice {

/// One place where a variable was put in.
struct parameter_use {
  std::string name;     ///< The given parameter's; empty for an expression, built-in or predefined name.
  std::string path;     ///< Of the text.
  std::string written;  ///< As it stands there: `${day}`, `$[yyyymmdd-1]`.
  variable_value value;
};

/// A variable that has no value.
struct missing_variable {
  std::string name;
  std::string path;
  std::string written;
};

/// An entry of a list in whose place a value put others.
struct list_growth {
  std::string path;         ///< Of the list, with the indices that it has afterwards.
  std::size_t index = 0;    ///< Of the first of them.
  std::size_t entries = 0;  ///< How many stand there now; 0 where it is gone.
};

/// What `substitute` found.
struct substitution {
  std::vector<parameter_use> uses;  ///< In the order of the document; paths as they are afterwards.
  std::vector<missing_variable> missing;
  std::vector<list_growth> growths;  ///< In the order of the document.
};

/// Puts the values of variables into all texts of the document and says where. Keys are left alone, so that
/// positions stay right; what has been put in is not looked at again.
///
/// Script mode 2.0: `${...}` and `$[...]`, and `$name` where the name is given or built in (job-formats 4).
/// What has no value is an error. A value is put into a text that is parsed already, so none can break the
/// JSON; a variable outside of texts is an error.
///
/// DataX (job-formats 6.10): `$name` and `${name}` of given parameters and predefined names; a blank or
/// missing value leaves the text as written, with a warning, and so does `$[...]`. DataX puts values into the
/// file before it is JSON. So a word outside of texts (`bare`) becomes the JSON that its values make, and
/// what was given as `-Dname=value` may close the text it stands in and begin others (`["${columns}"]` with
/// `id","name`), as far as the list or object around it; one that would break the JSON is taken as text.
/// DataX's accident that `$a` also hits the beginning of `$ab` is not repeated. A given parameter that is
/// nowhere used draws a warning.
substitution substitute(nlohmann::json& document, dialect form, const parameter_scope& scope, findings& out,
                        const bare_paths& bare = {});

/// Moves the places of what stands behind grown lists; new entries have the place of the one they came from.
void move_places(json_places& places, const std::vector<list_growth>& growths);

/// Applies `--set path=value`: the value is JSON where it parses as such, else a text. What is missing on the
/// path is made, as objects; a path through anything but objects and existing list entries is an error.
/// `places` marks what was set.
void set_value(nlohmann::json& document, json_places& places, const std::string& path,
               const std::string& value, findings& out);

}  // namespace sluice
