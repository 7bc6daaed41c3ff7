#include "jobspec/check_options.h"

#include <algorithm>

#include "jobspec/known_keys.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/secret.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// The names an option is given under in the file.
std::vector<std::string_view> given_names(const option_values& values, const option& o) {
  std::vector<std::string_view> names;
  const auto take = [&](std::string_view name) {
    const auto at = values.json().find(name);
    if (at != values.json().end() && !at->is_null() && *at != "") {
      names.push_back(name);
    }
  };
  take(o.name);
  for (const auto& alias : o.aliases) {
    take(alias);
  }
  return names;
}

void check_columns(const option_values& values, const option& o, const std::string& path, findings& out) {
  const auto names = given_names(values, o);
  if (names.empty()) {
    return;
  }
  const std::string here = path_join(path, names.front());
  const json& value = *values.json().find(names.front());
  const json list = value.is_array() ? value : json::array({value});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = value.is_array() ? path_join(here, i) : here;
    if (list[i].is_object()) {
      if (!o.members.empty()) {
        check_options(option_values(out.file(), at, list[i], out.places(), o.members, values.job_dialect()),
                      o.members, at, out);
      }
    } else if (!list[i].is_string() && !list[i].is_number()) {
      out.error(at, fmt::format("found {}, expected a column: a text or an object",
                                list[i].is_array() ? "a list" : escaped(list[i].dump())));
    }
  }
}

/// `u0001` and `x01`: an escape that lost its backslash on the way.
bool is_bare_escape(std::string_view text) {
  return ((text.size() == 5 && text[0] == 'u') || (text.size() == 3 && text[0] == 'x')) &&
         std::all_of(text.begin() + 1, text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

template <class Answer>
bool good(const Answer& answer, const option_values& values, const option& o, findings& out) {
  if (!answer) {
    out.error(answer.error(), values.position(o.name));
  }
  return answer.has_value();
}

void check_members(const option_values& inner, const option& o, findings& out) {
  // An object without described members is free in its keys.
  if (!o.members.empty()) {
    check_options(inner, o.members, inner.path(), out);
  }
}

void check_type(const option_values& values, const option& o, const std::string& path, findings& out) {
  if (o.secret && o.type == option_type::text) {
    good(values.secret_of(o.name), values, o, out);
    return;
  }
  if (o.checked_when_used) {
    good(values.text(o.name), values, o, out);
    return;
  }
  switch (o.type) {
    case option_type::text:
    case option_type::character:
      good(values.text(o.name), values, o, out);
      return;
    case option_type::delimiter: {
      const auto text = values.text(o.name);
      if (good(text, values, o, out) && *text && is_bare_escape(**text)) {
        out.warning(path_join(path, o.name),
                    fmt::format("found {0}, taken as these {1} characters; for the character write \"\\{0}\"",
                                **text, (*text)->size()));
      }
      return;
    }
    case option_type::integer:
      good(values.integer(o.name), values, o, out);
      return;
    case option_type::number:
      good(values.number(o.name), values, o, out);
      return;
    case option_type::boolean:
      good(values.boolean(o.name), values, o, out);
      return;
    case option_type::text_list:
      good(values.text_list(o.name), values, o, out);
      return;
    case option_type::object:
      if (const auto inner = values.object(o.name); good(inner, values, o, out)) {
        check_members(*inner, o, out);
      }
      return;
    case option_type::object_list:
      if (const auto list = values.object_list(o.name); good(list, values, o, out)) {
        for (const auto& inner : *list) {
          check_members(inner, o, out);
        }
      }
      return;
    case option_type::columns:
      check_columns(values, o, path, out);
      return;
  }
}

/// Refuses an option that is not supported, where the job asks for it.
void check_not_supported(const option_values& values, const option& o, const std::string& path,
                         findings& out) {
  if (o.type == option_type::boolean) {
    const auto asked = values.boolean(o.name);
    if (!good(asked, values, o, out) || !asked->value_or(false)) {
      return;
    }
  }
  out.not_supported(path_join(path, o.name), fmt::format("option {}", o.name),
                    fmt::format("is not supported: {}", o.meaning));
}

bool is_empty_list(const option_values& values, const option& o) {
  const auto names = given_names(values, o);
  if (names.empty()) {
    return false;
  }
  const json& value = *values.json().find(names.front());
  return value.is_array() && value.empty();
}

}  // namespace

void check_options(const option_values& values, const std::vector<option>& options, const std::string& path,
                   findings& out) {
  if (!values.json().is_object()) {
    return;
  }
  std::vector<std::string_view> known;
  for (const auto& o : options) {
    known.push_back(o.name);
    known.insert(known.end(), o.aliases.begin(), o.aliases.end());
    if (const auto names = given_names(values, o); names.size() > 1) {
      out.error(path_join(path, names[1]),
                fmt::format("is the same as {}, which is given too; keep one of them", in_quotes(names[0])));
    }
    if (!values.has(o.name) || (o.required && is_empty_list(values, o))) {
      if (o.required) {
        out.error_about(path, path_join(path, o.name),
                        fmt::format("{} is {}: {}", in_quotes(o.name),
                                    given_names(values, o).empty() ? "missing" : "empty", o.meaning));
      }
      continue;
    }
    if (o.not_supported) {
      check_not_supported(values, o, path, out);
    } else {
      check_type(values, o, path, out);
    }
  }
  check_keys(values.json(), path, known, out);
}

void check_references(const json& value, const std::string& path, findings& out) {
  if (value.is_string() && has_secret_reference(value.get_ref<const std::string&>())) {
    out.error(path,
              "a reference such as ${env:NAME} is looked up in secrets only (password and the like); use a "
              "parameter (-p NAME=VALUE) here");
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      check_references(value[i], path_join(path, i), out);
    }
  } else if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      check_references(inner, path_join(path, key), out);
    }
  }
}

void check_keys(const json& object, const std::string& path, std::span<const std::string_view> known,
                findings& out) {
  if (!object.is_object()) {
    return;
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end() || is_noise_key(key)) {
      continue;
    }
    const std::string here = path_join(path, key);
    if (key.starts_with('*') && looks_secret(key)) {
      out.error(here,
                fmt::format("this is a secret encrypted by DataX, which is not supported; write {} with a "
                            "reference such as ${{env:NAME}}",
                            in_quotes(key.substr(1))));
      continue;
    }
    const bool blank =
        value.is_null() || (value.is_string() && trimmed(value.get_ref<const std::string&>()).empty());
    if (const auto purpose = purpose_elsewhere(key); !purpose.empty()) {
      if (!blank) {
        out.odd_key(here, fmt::format("this key has no effect here; where a plugin has it, it {}", purpose));
      }
    } else if (const auto near = nearest(key, known); !near.empty()) {
      out.odd_key(here,
                  fmt::format("this key is not known and has no effect; did you mean {}?", in_quotes(near)));
    } else if (!blank) {
      out.odd_key(here, "this key is not known and has no effect");
    }
  }
}

}  // namespace sluice
