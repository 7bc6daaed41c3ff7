#include "jobspec/parameters.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "jobspec/escapes.h"
#include "jobspec/loose_json.h"
#include "jobspec/words.h"
#include "transport/base/secret.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

// Names that DataWorks itself fills in (job-formats 4.3): left without a value they are a mistake even as
// `$name`.
constexpr std::array<std::string_view, 4> built_in_names = {"bizdate", "cyctime", "gmtdate", "bizmonth"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_letter(char c) {
  return is_word_character(c) && !(c >= '0' && c <= '9');
}

std::size_t word_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_word_character(text[at])) {
    ++at;
  }
  return at;
}

/// Replaces the parameters of one document.
class substituter {
 public:
  substituter(dialect form, const std::map<std::string, std::string>& given, findings& out)
      : form_(form), given_(given), out_(out) {}

  void walk(json& value, const std::string& path) {
    if (value.is_string()) {
      auto& text = value.get_ref<std::string&>();
      if (text.find('$') != std::string::npos) {
        text = replaced(text, path);
      }
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        walk(value[i], path_join(path, i));
      }
    } else if (value.is_object()) {
      for (auto& [key, inner] : value.items()) {
        walk(inner, path_join(path, key));
      }
    }
  }

  void warn_of_unused() {
    std::set<std::string> used;
    for (const auto& use : uses_) {
      used.insert(use.name);
    }
    for (const auto& [name, value] : given_) {
      // One that is blank in a DataX job has been named where it stands.
      if (!used.contains(name) && !missing_.contains(name)) {
        const auto near = nearest(name, missing_);
        out_.warning(
            "", fmt::format("the parameter {} was given, but the job does not use it{}", sluice::quoted(name),
                            near.empty() ? "" : fmt::format("; did you mean {}?", sluice::quoted(near))));
      }
    }
  }

  std::vector<parameter_use> take() { return std::move(uses_); }

 private:
  std::string replaced(std::string_view text, const std::string& path) {
    std::string done;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t dollar = std::min(text.find('$', at), text.size());
      done.append(text.substr(at, dollar - at));
      if (dollar == text.size()) {
        break;
      }
      if (const std::size_t end = secret_reference_end(text, dollar); end != std::string_view::npos) {
        // `${env:NAME}` and its like are looked up when a connection is opened, not here.
        done.append(text.substr(dollar, end - dollar));
        at = end;
        continue;
      }
      at = form_ == dialect::datax ? datax_variable(text, dollar, path, done)
                                   : script_variable(text, dollar, path, done);
    }
    return done;
  }

  /// Puts the value of the variable at `dollar` behind `done`, or the text as written; returns where to go
  /// on.
  std::size_t datax_variable(std::string_view text, std::size_t dollar, const std::string& path,
                             std::string& done) {
    // DataX's own pattern: \$\{?(\w+)\}?
    const bool brace = text.substr(dollar + 1).starts_with('{');
    const std::size_t begin = dollar + (brace ? 2 : 1);
    const std::size_t end = word_end(text, begin);
    const std::size_t after = end + (text.substr(std::min(end, text.size())).starts_with('}') ? 1 : 0);
    const std::string name(text.substr(begin, end - begin));
    if (name.empty()) {
      done += '$';
      return dollar + 1;
    }
    const auto value = given_.find(name);
    if (value != given_.end() && !trimmed(value->second).empty()) {
      use(name, path, done);
      return after;
    }
    if (brace || is_letter(name.front())) {
      missing_.insert(name);
      out_.warning(path,
                   fmt::format("the parameter {} has no value and stays as written; give it with -p {}=VALUE",
                               escaped(text.substr(dollar, after - dollar)), name));
    }
    done.append(text.substr(dollar, after - dollar));
    return after;
  }

  std::size_t script_variable(std::string_view text, std::size_t dollar, const std::string& path,
                              std::string& done) {
    const std::string_view rest = text.substr(dollar + 1);
    if (rest.starts_with('{') || (rest.size() > 1 && rest[0] == '[' && is_letter(rest[1]))) {
      const std::size_t close = text.find(rest[0] == '{' ? '}' : ']', dollar);
      if (close == std::string_view::npos) {
        out_.error(path, fmt::format("found {} without its closing {}", sluice::quoted(text.substr(dollar)),
                                     sluice::quoted(rest[0] == '{' ? "}" : "]")));
        done.append(text.substr(dollar));
        return text.size();
      }
      expression(text.substr(dollar, close + 1 - dollar), path, done);
      return close + 1;
    }
    const std::size_t end = word_end(text, dollar + 1);
    const std::string name(text.substr(dollar + 1, end - dollar - 1));
    if (given_.contains(name)) {
      use(name, path, done);
    } else if (std::find(built_in_names.begin(), built_in_names.end(), name) != built_in_names.end()) {
      missing(name, "$" + name, path);
    } else {
      // A dollar sign in a path or an expression.
      done.append(text.substr(dollar, end - dollar));
    }
    return end;
  }

  /// `${...}` or `$[...]` as a whole.
  void expression(std::string_view whole, const std::string& path, std::string& done) {
    const std::string name(trimmed(whole.substr(2, whole.size() - 3)));
    const bool is_name =
        whole[1] == '{' && !name.empty() && is_letter(name.front()) &&
        std::all_of(name.begin(), name.end(), [](char c) { return is_word_character(c) || c == '.'; });
    if (!is_name) {
      out_.error(
          path,
          fmt::format("{} is a scheduling expression, which is not supported yet; write a name there, as in "
                      "${{bizdate}}, and give its value with -p bizdate=VALUE",
                      sluice::quoted(whole)));
    } else if (given_.contains(name)) {
      use(name, path, done);
    } else {
      missing(name, escaped(whole), path);
    }
  }

  void missing(const std::string& name, std::string_view written, const std::string& path) {
    missing_.insert(name);
    std::vector<std::string> names;
    for (const auto& [given, value] : given_) {
      names.push_back(given);
    }
    const auto near = nearest(name, names);
    out_.error(path, fmt::format("the parameter {} has no value; give it with -p {}=VALUE{}", written, name,
                                 near.empty() ? "" : fmt::format(" (given is {})", sluice::quoted(near))));
  }

  void use(const std::string& name, const std::string& path, std::string& done) {
    done += given_.at(name);
    uses_.push_back({name, path});
  }

  dialect form_;
  const std::map<std::string, std::string>& given_;
  findings& out_;
  std::vector<parameter_use> uses_;
  std::set<std::string> missing_;
};

/// A `--set` value: JSON where it is JSON, else the text itself.
json value_from(const std::string& text) {
  // Strict first, so that `5//2` stays a text; then with the limits of a job file.
  if (json::accept(text)) {
    if (auto read = read_loose_json("--set", text)) {
      return std::move(read->root);
    }
  }
  return text;
}

void forget_below(json_places& places, const std::string& path) {
  for (const char* separator : {".", "["}) {
    const std::string prefix = path + separator;
    for (auto at = places.lower_bound(prefix); at != places.end() && at->first.starts_with(prefix);) {
      at = places.erase(at);
    }
  }
}

}  // namespace

std::vector<parameter_use> substitute(json& document, dialect form,
                                      const std::map<std::string, std::string>& given, findings& out) {
  for (const auto& [name, value] : given) {
    if (!is_utf8(value)) {
      out.error("", fmt::format("the value of the parameter {} is not UTF-8", sluice::quoted(name)));
      return {};
    }
  }
  substituter work(form, given, out);
  work.walk(document, "");
  work.warn_of_unused();
  return work.take();
}

void set_value(json& document, json_places& places, const std::string& path, const std::string& value,
               findings& out) {
  const auto refuse = [&](std::string_view why) {
    out.error({error_kind::bad_option, fmt::format("--set {}: {}", escaped(path), why), {}}, {0, 0});
  };
  const auto steps = parse_path(path);
  if (!steps) {
    return refuse(steps.error().message);
  }
  if (!is_utf8(value) || !is_utf8(path)) {
    return refuse("path and value must be UTF-8");
  }
  if (steps->size() > json_depth_max) {
    return refuse(fmt::format("the path is deeper than {}", json_depth_max));
  }
  json* at = &document;
  std::string here;
  for (const auto& step : *steps) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      if (!at->is_array() || *index >= at->size()) {
        return refuse(at->is_array() ? fmt::format("{} has {} entries, none with the index {}",
                                                   sluice::quoted(here), at->size(), *index)
                                     : fmt::format("{} is no list", sluice::quoted(here)));
      }
      at = &(*at)[*index];
      here = path_join(here, *index);
      continue;
    }
    if (at->is_null()) {
      *at = json::object();
      places[here] = {0, 0};
    }
    if (!at->is_object()) {
      return refuse(fmt::format("{} is not an object, so it has no {}",
                                here.empty() ? "the job" : sluice::quoted(here),
                                sluice::quoted(std::get<std::string>(step))));
    }
    at = &(*at)[std::get<std::string>(step)];
    here = path_join(here, std::get<std::string>(step));
  }
  *at = value_from(value);
  forget_below(places, here);
  places[here] = {0, 0};
}

}  // namespace sluice
