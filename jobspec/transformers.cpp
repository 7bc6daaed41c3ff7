#include "jobspec/transformers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "jobspec/check_options.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// What one of the paras may be.
enum class para {
  filter_operator,
  filter_value,  ///< Any text but the empty one.
  whole,         ///< A whole number from 0.
  pad_length,    ///< A whole number from 0 to the characters that a record can hold.
  pad_side,
  pad_text,  ///< Any text but the empty one.
  text,
  digest_kind,
  letter_case,
};

/// The functions of DataX: what each takes.
struct known_transformer {
  std::string_view name;
  std::string_view paras_meaning;
  std::vector<para> paras;
};

const std::vector<known_transformer>& known_transformers() {
  static const std::vector<known_transformer> all = {
      {"dx_filter", "an operator and a value", {para::filter_operator, para::filter_value}},
      {"dx_substr", "a start and a length", {para::whole, para::whole}},
      {"dx_pad", "\"l\" or \"r\", a length and a text", {para::pad_side, para::pad_length, para::pad_text}},
      {"dx_replace", "a start, a length and a text", {para::whole, para::whole, para::text}},
      {"dx_digest",
       "\"md5\" or \"sha1\", and \"toUpperCase\" or \"toLowerCase\"",
       {para::digest_kind, para::letter_case}},
  };
  return all;
}

constexpr std::int64_t pad_length_max = std::int64_t{64} << 20;

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
        "dx_groovy runs Groovy code, which is not supported; use dx_filter, dx_substr, dx_pad, dx_replace or "
        "dx_digest, or an expression in the reader's \"column\" or \"querySql\"");
    return nullptr;
  }
  std::vector<std::string_view> names;
  for (const auto& known : known_transformers()) {
    if (known.name == name) {
      return &known;
    }
    names.push_back(known.name);
  }
  const auto near = nearest(name, names);
  out.error(path, fmt::format("there is no transformer {}{}", in_quotes(name),
                              near.empty() ? "" : fmt::format("; did you mean {}?", in_quotes(near))));
  return nullptr;
}

/// What is wrong with one of the paras; empty where nothing is. DataX finds such mistakes with every record.
std::string wrong_para(para kind, const std::string& word) {
  const auto one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return same_word(w, word); });
  };
  const auto expected = [&](std::string_view what) {
    return fmt::format("found {}, expected {}", in_quotes(word), what);
  };
  const auto number = [&](std::int64_t most) {
    std::int64_t value = -1;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
    return read.ec == std::errc{} && read.ptr == word.data() + word.size() && value >= 0 && value <= most;
  };
  switch (kind) {
    case para::filter_operator:
      return std::any_of(filter_operators.begin(), filter_operators.end(),
                         [&](std::string_view w) { return w == word; })
                 ? ""
                 : fmt::format(
                       "found the operator {}, expected one of like, not like, >, <, >=, <=, =, ==, !=",
                       in_quotes(word));
    case para::filter_value:
      return word.empty() ? "the value to compare with is empty; give one, \"null\" for NULL" : "";
    case para::whole:
      return number(std::numeric_limits<std::int32_t>::max()) ? "" : expected("a whole number of at least 0");
    case para::pad_length:
      return number(pad_length_max) ? ""
                                    : expected(fmt::format("a whole number from 0 to {}", pad_length_max));
    case para::pad_side:
      return one_of({"l", "r"}) ? "" : expected("\"l\" or \"r\"");
    case para::pad_text:
      return word.empty() ? "the text to pad with is empty, so that DataX would never end; give one" : "";
    case para::digest_kind:
      return one_of({"md5", "sha1"}) ? "" : expected("\"md5\" or \"sha1\"");
    case para::letter_case:
      return one_of({"toUpperCase", "toLowerCase"}) ? "" : expected("\"toUpperCase\" or \"toLowerCase\"");
    case para::text:
      break;
  }
  return {};
}

/// DataX takes these words in any case and then compares them as they are written. Its results are kept, and
/// said.
void warn_of_digest(const transformer_spec& spec, const std::string& path, findings& out) {
  if (same_word(spec.paras[0], "md5") && spec.paras[0] != "md5") {
    out.warning(path_join(path, std::size_t{0}),
                fmt::format("{} gives SHA-1, as in DataX; write \"md5\" for MD5 or \"sha1\"",
                            in_quotes(spec.paras[0])));
  }
  if (same_word(spec.paras[1], "toUpperCase") && spec.paras[1] != "toUpperCase") {
    out.warning(path_join(path, std::size_t{1}),
                fmt::format("{} gives small letters, as in DataX; write \"toUpperCase\" or \"toLowerCase\"",
                            in_quotes(spec.paras[1])));
  }
}

/// Whether nothing is wrong.
bool check_paras(const known_transformer& function, const transformer_spec& spec, const std::string& path,
                 findings& out) {
  if (spec.paras.size() != function.paras.size()) {
    out.error(path, fmt::format("{} takes {} values, {}; found {}", function.name, function.paras.size(),
                                function.paras_meaning, spec.paras.size()));
    return false;
  }
  bool good = true;
  for (std::size_t i = 0; i < spec.paras.size(); ++i) {
    if (const std::string wrong = wrong_para(function.paras[i], spec.paras[i]); !wrong.empty()) {
      out.error(path_join(path, i), wrong);
      good = false;
    }
  }
  return good;
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
  const std::string paras_path = path_join(parameter_path, "paras");
  if (!check_paras(*function, spec, paras_path, out)) {
    return;
  }
  if (function->name == "dx_digest") {
    warn_of_digest(spec, paras_path, out);
  }
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
