#include "jobspec/transformers.h"

#include <algorithm>
#include <array>
#include <limits>

#include "jobspec/check_options.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// The functions of DataX: what each takes, and whether Sluice has it.
struct known_transformer {
  std::string_view name;
  std::size_t paras;
  std::string_view paras_meaning;
  bool supported;
};

constexpr std::array<known_transformer, 5> known_transformers = {{
    {"dx_filter", 2, "an operator and a value", true},
    {"dx_substr", 2, "a start and a length", false},
    {"dx_pad", 3, "\"l\" or \"r\", a length and a text", false},
    {"dx_replace", 3, "a start, a length and a text", false},
    {"dx_digest", 2, "\"md5\" or \"sha1\", and \"toUpperCase\" or \"toLowerCase\"", false},
}};

constexpr std::array<std::string_view, 9> filter_operators = {
    "like", "not like", ">", "<", ">=", "<=", "=", "==", "!="};

const std::vector<option>& parameter_options() {
  static const std::vector<option> options = {
      {.name = "columnIndex",
       .type = option_type::integer,
       .meaning = "The column's index, from 0.",
       .required = true,
       .number_min = 0,
       .number_max = std::numeric_limits<std::int32_t>::max()},
      {.name = "paras",
       .type = option_type::text_list,
       .meaning = "What the function takes.",
       .required = true},
      {.name = "context",
       .type = option_type::object,
       .meaning = "For functions of one's own; without effect."},
      {.name = "code", .meaning = "For dx_groovy; without effect."},
      {.name = "extraPackage", .type = option_type::text_list, .meaning = "For dx_groovy; without effect."}};
  return options;
}

/// The function of that name; nothing, with a finding, where Sluice does not have it.
const known_transformer* find_function(const std::string& name, const std::string& path, findings& out) {
  if (name == "dx_groovy") {
    out.not_supported(
        path, "transformer dx_groovy",
        "dx_groovy runs Groovy code, which is not supported; use dx_filter, or an expression in the "
        "reader's \"column\" or \"querySql\"");
    return nullptr;
  }
  std::vector<std::string_view> names;
  for (const auto& known : known_transformers) {
    if (known.name == name) {
      if (!known.supported) {
        out.not_supported(path, "transformer " + name,
                          fmt::format("the transformer {} is not supported yet", sluice::quoted(name)));
        return nullptr;
      }
      return &known;
    }
    names.push_back(known.name);
  }
  const auto near = nearest(name, names);
  out.error(path, fmt::format("there is no transformer {}{}", sluice::quoted(name),
                              near.empty() ? "" : fmt::format("; did you mean {}?", sluice::quoted(near))));
  return nullptr;
}

void check_paras(const known_transformer& function, const transformer_spec& spec, const std::string& path,
                 findings& out) {
  if (spec.paras.size() != function.paras) {
    out.error(path, fmt::format("{} takes {} values, {}; found {}", function.name, function.paras,
                                function.paras_meaning, spec.paras.size()));
    return;
  }
  if (function.name == "dx_filter") {
    const std::string& word = spec.paras.front();
    if (std::find(filter_operators.begin(), filter_operators.end(), word) == filter_operators.end()) {
      out.error(path_join(path, std::size_t{0}),
                fmt::format("found the operator {}, expected one of like, not like, >, <, >=, <=, =, ==, !=",
                            sluice::quoted(word)));
    }
    if (spec.paras.back().empty()) {
      out.error(path_join(path, std::size_t{1}),
                "the value to compare with is empty; give one, \"null\" for NULL");
    }
  }
}

void read_entry(const json& entry, const std::string& path, std::vector<transformer_spec>& to,
                findings& out) {
  static constexpr std::array<std::string_view, 2> keys = {"name", "parameter"};
  if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) {
    out.error(path, "expected a transformer: an object with \"name\" and \"parameter\"");
    return;
  }
  check_keys(entry, path, keys, out);
  transformer_spec spec;
  spec.name = std::string(trimmed(entry["name"].get_ref<const std::string&>()));
  spec.place = out.place(path);
  const known_transformer* function = find_function(spec.name, path_join(path, "name"), out);
  if (function == nullptr) {
    return;
  }
  const std::string parameter_path = path_join(path, "parameter");
  const json parameter = entry.value("parameter", json::object());
  if (!parameter.is_object()) {
    out.error(parameter_path, "expected an object with \"columnIndex\" and \"paras\"");
    return;
  }
  const option_values values(out.file(), parameter_path, parameter, out.places(), parameter_options(),
                             dialect::datax);
  check_options(values, parameter_options(), parameter_path, out);
  const auto index = values.integer("columnIndex");
  auto paras = values.text_list("paras");
  if (!index || !*index || !paras || !values.has("paras")) {
    return;
  }
  spec.column_index = static_cast<std::uint32_t>(**index);
  spec.paras = std::move(*paras);
  check_paras(*function, spec, path_join(parameter_path, "paras"), out);
  to.push_back(std::move(spec));
}

}  // namespace

std::vector<transformer_spec> read_transformers(const placed_json& list, findings& out) {
  std::vector<transformer_spec> specs;
  if (list.value.is_null() || list.value == "") {
    return specs;
  }
  if (!list.value.is_array()) {
    out.error(list.path, "expected a list of transformers");
    return specs;
  }
  for (std::size_t i = 0; i < list.value.size(); ++i) {
    read_entry(list.value[i], path_join(list.path, i), specs, out);
  }
  return specs;
}

}  // namespace sluice
