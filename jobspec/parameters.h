#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jobspec/findings.h"
#include "jobspec/option_values.h"

namespace sluice {

/// One place where a parameter was put in.
struct parameter_use {
  std::string name;
  std::string path;
};

/// Puts `given` parameters into all texts of the document (never into keys, so that positions stay right) and
/// returns where. The value is put in as it is and is not looked at again.
///
/// Script mode 2.0: `${name}`, and `$name` where the name is given. A `${name}` without a value, and a
/// scheduling expression (`$[yyyymmdd]`), which Sluice does not know yet, are errors.
/// DataX (job-formats 6.10): `$name` and `${name}`; a blank or missing value leaves the text as written, with
/// a warning. DataX's accident that `$a` also hits the beginning of `$ab` is not repeated. A given parameter
/// that is nowhere used draws a warning.
std::vector<parameter_use> substitute(nlohmann::json& document, dialect form,
                                      const std::map<std::string, std::string>& given, findings& out);

/// Applies `--set path=value`: the value is JSON where it parses as such, else a text. What is missing on the
/// path is made, as objects; a path through anything but objects and existing list entries is an error.
/// `places` marks what was set.
void set_value(nlohmann::json& document, json_places& places, const std::string& path,
               const std::string& value, findings& out);

}  // namespace sluice
