#include "jobspec/describe.h"

#include <fmt/format.h>

#include <string_view>

#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

std::string_view type_words(option_type type) {
  switch (type) {
    case option_type::text:
      return "text";
    case option_type::character:
      return "character";
    case option_type::delimiter:
      return "text (delimiter)";
    case option_type::integer:
      return "whole number";
    case option_type::number:
      return "number";
    case option_type::boolean:
      return "true or false";
    case option_type::text_list:
      return "list of texts";
    case option_type::object:
      return "object";
    case option_type::object_list:
      return "list of objects";
    case option_type::columns:
      return "list of columns";
  }
  return "";
}

/// `text` for a cell: one line, and no bar of its own.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') {
      out += "\\|";
    } else {
      out += c == '\n' || c == '\r' ? ' ' : c;
    }
  }
  return out;
}

/// As code in a cell; a backtick inside needs a longer fence (CommonMark 6.1).
std::string code(std::string_view text) {
  // A default is shown as it is written in a job file: `\t` and `\N` keep their single backslash.
  std::string plain;
  for (const char c : text) {
    plain += static_cast<unsigned char>(c) < 0x20 ? escaped(std::string_view(&c, 1)) : std::string(1, c);
  }
  const bool ticks = plain.find('`') != std::string::npos;
  return ticks ? fmt::format("`` {} ``", cell(plain)) : fmt::format("`{}`", cell(plain));
}

std::string default_cell(const option& o) {
  std::string out = o.default_text.empty() ? "" : code(o.default_text);
  if (!o.datax_default_text.empty()) {
    out += fmt::format("{}DataX: {}", out.empty() ? "" : "; ", code(o.datax_default_text));
  }
  return out;
}

std::string type_cell(const option& o) {
  std::string out(type_words(o.type));
  if (o.number_min > -1e300 && o.number_max < 1e300) {
    out += fmt::format(", {} to {}", o.number_min, o.number_max);
  } else if (o.number_min > -1e300) {
    out += fmt::format(", at least {}", o.number_min);
  } else if (o.number_max < 1e300) {
    out += fmt::format(", at most {}", o.number_max);
  }
  return out;
}

std::string meaning_cell(const option& o) {
  std::string out = o.meaning;
  const auto list = [&](std::string_view intro, const std::vector<std::string>& words) {
    if (words.empty()) {
      return;
    }
    out += intro;
    for (std::size_t i = 0; i < words.size(); ++i) {
      out += fmt::format("{}`{}`", i == 0 ? "" : ", ", words[i]);
    }
    out += '.';
  };
  list(" One of ", o.allowed);
  list(" Also written ", o.aliases);
  if (o.secret) {
    out += " Secret: never shown.";
  }
  if (o.blank_is_value) {
    out += " A blank text is a value.";
  }
  return cell(out);
}

void rows(const std::vector<option>& options, const std::string& prefix, std::string& out) {
  for (const auto& o : options) {
    const std::string name = prefix + o.name;
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", cell(name), type_cell(o), o.required ? "yes" : "",
                       default_cell(o), meaning_cell(o));
    rows(o.members, name + (o.type == option_type::object ? "." : "[]."), out);
  }
}

json with_null(json type_names) {
  type_names.push_back("null");
  return type_names;
}

/// The schema of one value of the option, without its description.
json value_schema(const option& o) {
  const json scalar = {"string", "number", "boolean"};
  switch (o.type) {
    case option_type::text:
    case option_type::character:
    case option_type::delimiter: {
      if (o.allowed.empty()) {
        return {{"type", with_null(scalar)}};
      }
      // The words as an enum, which editors offer; in any case, blank, or with a parameter as a pattern.
      return {{"anyOf",
               json::array({{{"enum", o.allowed}},
                            {{"type", "string"}, {"pattern", any_case_pattern(o.allowed) + "|^\\s*$|\\$"}},
                            {{"type", "null"}}})}};
    }
    case option_type::integer:
    case option_type::number: {
      json number = {{"type", o.type == option_type::integer ? "integer" : "number"}};
      if (o.number_min > -1e300) {
        number["minimum"] = o.number_min;
      }
      if (o.number_max < 1e300) {
        number["maximum"] = o.number_max;
      }
      // Also as a text of digits, blank, or with a parameter.
      const char* text = o.type == option_type::integer ? "^\\s*([+-]?[0-9]+)?\\s*$|\\$"
                                                        : "^\\s*([+-]?[0-9.][0-9.eE+-]*)?\\s*$|\\$";
      return {{"anyOf", json::array({number, {{"type", "string"}, {"pattern", text}}, {{"type", "null"}}})}};
    }
    case option_type::boolean:
      return {{"anyOf", json::array({{{"type", {"boolean", "null"}}},
                                     {{"type", "string"},
                                      {"pattern", any_case_pattern({"true", "false"}) + "|^\\s*$|\\$"}}})}};
    case option_type::text_list:
      return {{"anyOf", json::array({{{"type", "array"}, {"items", {{"type", scalar}}}},
                                     {{"type", with_null(scalar)}}})}};
    case option_type::object:
    case option_type::object_list: {
      const json one = options_schema(o.members);
      return {
          {"anyOf", json::array({one, {{"type", "array"}, {"items", one}}, {{"type", {"string", "null"}}}})}};
    }
    case option_type::columns: {
      json item = {{"type", {"string", "object"}}};
      return {{"anyOf", json::array({{{"type", "array"}, {"items", item}}, item})}};
    }
  }
  return json::object();
}

/// As an editor puts it into the job: a number where numbers are meant.
json default_value(const option& o) {
  const bool plain =
      o.type == option_type::integer || o.type == option_type::number || o.type == option_type::boolean;
  json value = plain ? json::parse(o.default_text, nullptr, false) : json();
  return value.is_number() || value.is_boolean() ? value : json(o.default_text);
}

}  // namespace

std::string any_case_pattern(const std::vector<std::string>& words) {
  std::string out = "^\\s*(";
  for (const std::string& word : words) {
    out += out.ends_with('(') ? "" : "|";
    constexpr std::string_view anything = "(…)";
    const bool in_brackets = word.ends_with(anything);
    for (const char c : word.substr(0, word.size() - (in_brackets ? anything.size() : 0))) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter) {
        out += {'[', static_cast<char>(c | 0x20), static_cast<char>(c & ~0x20), ']'};
      } else {
        out += (c >= '0' && c <= '9') || c == '_' || c == ' ' ? std::string(1, c) : std::string("\\") + c;
      }
    }
    out += in_brackets ? "\\s*\\(.*\\)" : "";
  }
  return out + ")\\s*$";
}

std::string options_markdown(const std::vector<option>& options) {
  if (options.empty()) {
    return {};
  }
  std::string out = "| Option | Type | Required | Default | Meaning |\n|---|---|---|---|---|\n";
  rows(options, "", out);
  return out;
}

json options_schema(const std::vector<option>& options) {
  json properties = json::object();
  json conditions = json::array();
  for (const auto& o : options) {
    json schema = value_schema(o);
    schema["description"] = o.meaning;
    if (!o.default_text.empty()) {
      schema["default"] = default_value(o);
    }
    if (o.secret) {
      schema["writeOnly"] = true;
    }
    json names = json::array();
    names.push_back({{"required", {o.name}}});
    for (const auto& alias : o.aliases) {
      properties[alias] = schema;
      names.push_back({{"required", {alias}}});
    }
    properties[o.name] = std::move(schema);
    if (o.required) {
      conditions.push_back({{"anyOf", std::move(names)}});
    }
  }
  json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!conditions.empty()) {
    out["allOf"] = std::move(conditions);
  }
  return out;
}

}  // namespace sluice
