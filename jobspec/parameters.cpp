#include "jobspec/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "jobspec/date_expression.h"
#include "jobspec/escapes.h"
#include "jobspec/loose_json.h"
#include "jobspec/loose_text.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/secret.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// The member's name at the end of a path; of a list's entry, the list's.
std::string_view key_of(std::string_view path) {
  while (path.ends_with(']')) {
    path = path_parent(path);
  }
  return path.substr(path.find_last_of('.') + 1);
}

/// A text of a DataX file while values are put in: as text, and as it stands in the file.
class text_in_file {
 public:
  /// `bare`: it stands outside of quotes.
  explicit text_in_file(bool bare) : bare_(bare) {}

  void add(std::string_view text) {
    plain_ += text;
    written_ += bare_ ? std::string(text) : as_json(text);
  }
  /// A value; `raw`: it goes into the file before that is JSON.
  void add_value(std::string_view value, bool raw) {
    plain_ += value;
    if (bare_) {
      written_ += value;
      return;
    }
    if (!raw) {
      written_ += as_json(value);
      return;
    }
    raw_ = raw_ || value.find_first_of("\"\\") != std::string_view::npos;
    for (const char c : value) {
      // DataX's parser takes control characters inside texts.
      written_ += c >= 0 && c < ' ' ? as_json(std::string_view(&c, 1)) : std::string(1, c);
    }
  }

  [[nodiscard]] const std::string& plain() const { return plain_; }
  /// Whether it may be something else than the one text `plain`.
  [[nodiscard]] bool is_json() const { return bare_ || raw_; }
  [[nodiscard]] bool is_bare() const { return bare_; }
  [[nodiscard]] std::string json_text() const { return bare_ ? written_ : "\"" + written_ + "\""; }

 private:
  static std::string as_json(std::string_view text) {
    const std::string dumped = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    return dumped.substr(1, dumped.size() - 2);
  }

  bool bare_;
  bool raw_ = false;
  std::string plain_;
  std::string written_;
};

/// Replaces the variables of one document.
class substituter {
 public:
  substituter(dialect form, const parameter_scope& scope, const bare_paths& bare, findings& out)
      : form_(form), scope_(scope), bare_(bare), out_(out) {}

  /// `written` is the path in the file, from which `path` differs behind a list that grew.
  void walk(json& value, const std::string& path, const std::string& written) {
    if (value.is_string()) {
      auto& text = value.get_ref<std::string&>();
      if (text.find('$') != std::string::npos) {
        path_ = path;
        if (form_ == dialect::script2 && bare_.contains(written)) {
          out_.error(path, bare_word_message(text));
        }
        text = form_ == dialect::datax ? datax_text(text, false).plain() : script_text(text);
      }
    } else if (value.is_array()) {
      walk_list(value, path, written);
    } else if (value.is_object()) {
      walk_object(value, path, written);
    }
  }

  void warn_of_unused() {
    std::set<std::string> used;
    for (const auto& use : done_.uses) {
      used.insert(use.value.parameters.begin(), use.value.parameters.end());
    }
    used.insert(refused_.begin(), refused_.end());
    std::vector<std::string> missing;
    for (const auto& one : done_.missing) {
      missing.push_back(one.name);
    }
    for (const auto& [name, value] : scope_.given()) {
      // One that is blank in a DataX job has been named where it stands.
      if (!used.contains(name) && std::find(missing.begin(), missing.end(), name) == missing.end()) {
        const auto near = nearest(name, missing);
        out_.warning("",
                     fmt::format("the parameter {} was given, but the job does not use it{}", in_quotes(name),
                                 near.empty() ? "" : fmt::format("; did you mean {}?", in_quotes(near))));
      }
    }
  }

  substitution take() { return std::move(done_); }

 private:
  [[nodiscard]] bool may_be_json(const json& value) const {
    return form_ == dialect::datax && value.is_string() &&
           value.get_ref<const std::string&>().find('$') != std::string::npos;
  }

  void walk_list(json& list, const std::string& path, const std::string& written) {
    json out = json::array();
    std::size_t index = 0;
    for (auto& entry : list) {
      const std::string here = path_join(path, out.size());
      const std::string from = path_join(written, index++);
      if (!may_be_json(entry)) {
        walk(entry, here, from);
        out.push_back(std::move(entry));
        continue;
      }
      path_ = here;
      const text_in_file text = datax_text(entry.get_ref<const std::string&>(), bare_.contains(from));
      const auto parsed = text.is_json() ? parse_part("[" + text.json_text() + "]", text) : std::nullopt;
      if (!parsed) {
        out.push_back(text.plain());
        continue;
      }
      if (parsed->size() != 1) {
        done_.growths.push_back({path, out.size(), parsed->size()});
      }
      out.insert(out.end(), parsed->begin(), parsed->end());
    }
    list = std::move(out);
  }

  void walk_object(json& object, const std::string& path, const std::string& written) {
    json more = json::object();
    for (auto& [key, inner] : object.items()) {
      const std::string here = path_join(path, key);
      const std::string from = path_join(written, key);
      if (!may_be_json(inner)) {
        walk(inner, here, from);
        continue;
      }
      path_ = here;
      const text_in_file text = datax_text(inner.get_ref<const std::string&>(), bare_.contains(from));
      auto parsed = text.is_json()
                        ? parse_part(fmt::format("{{{}:{}}}", json(key).dump(), text.json_text()), text)
                        : std::nullopt;
      if (!parsed) {
        inner = text.plain();
        continue;
      }
      inner = std::move((*parsed)[key]);
      parsed->erase(key);
      more.update(*parsed);
    }
    object.update(more);
  }

  /// The list or object that `part` is; nothing where it is none, which outside of quotes is a mistake.
  std::optional<json> parse_part(const std::string& part, const text_in_file& text) {
    auto read = read_loose_json("", part);
    if (read) {
      return std::move(read->root);
    }
    if (text.is_bare() && !bare_is_missing_) {
      out_.error(path_,
                 fmt::format("found {} where the variable outside a text was, which is no JSON; put the "
                             "variable into quotes",
                             bare_is_secret_ || looks_secret(key_of(path_)) ? "something that is not shown"
                                                                            : in_quotes(text.plain())));
    }
    return std::nullopt;
  }

  std::string script_text(std::string_view text) {
    return replace_variables(text, [this](const written_variable& found, std::string& done) {
      using form = written_variable::form;
      if (found.kind == form::unclosed) {
        const bool braces = found.whole[1] == '{';
        out_.error(path_, fmt::format("found {} without its closing {}", shown(found.whole),
                                      in_quotes(braces ? "}" : "]")));
        done.append(found.whole);
        return;
      }
      if (found.kind == form::word) {
        auto value = scope_.word(found.name);
        if (!value) {
          refuse(found, value.error());
        } else if (*value) {
          done += (*value)->text;
          use(found, std::move(**value));
        } else {
          // A dollar sign in a path or an expression.
          done.append(found.whole);
        }
        return;
      }
      auto value = scope_.expression(found.whole);
      if (value) {
        done += value->text;
        use(found, std::move(*value));
      } else {
        refuse(found, value.error());
      }
    });
  }

  text_in_file datax_text(std::string_view text, bool bare) {
    text_in_file done(bare);
    bare_is_missing_ = false;
    bare_is_secret_ = false;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t dollar = std::min(text.find('$', at), text.size());
      done.add(text.substr(at, dollar - at));
      if (dollar == text.size()) {
        break;
      }
      if (const std::size_t end = secret_reference_end(text, dollar); end != std::string_view::npos) {
        // `${env:NAME}` and its like are looked up when a connection is opened, not here.
        done.add(text.substr(dollar, end - dollar));
        at = end;
        continue;
      }
      at = dollar + datax_variable(text.substr(dollar), done);
    }
    return done;
  }

  /// Puts the value of the variable at the beginning of `text` behind `done`, or the text as written; returns
  /// the number of bytes it took.
  std::size_t datax_variable(std::string_view text, text_in_file& done) {
    // DataX's own pattern: \$\{?(\w+)\}?
    const bool brace = text.substr(1).starts_with('{');
    const std::size_t close = brace ? text.find('}') : std::string_view::npos;
    if (close != std::string_view::npos && find_predefined(text.substr(2, close - 2)) != nullptr) {
      // Their names have dots, which the pattern does not take.
      return datax_value(text.substr(0, close + 1), text.substr(2, close - 2), done);
    }
    const std::size_t begin = brace ? 2 : 1;
    const std::size_t end = word_end(text, begin);
    const std::string_view name = text.substr(begin, end - begin);
    if (name.empty()) {
      warn_of_date(text);
      done.add("$");
      return 1;
    }
    const std::size_t size = end + (text.substr(end).starts_with('}') ? 1 : 0);
    return datax_value(text.substr(0, size), name, done);
  }

  std::size_t datax_value(std::string_view whole, std::string_view name, text_in_file& done) {
    const written_variable found{written_variable::form::braces, whole, name};
    auto value = scope_.named(name);
    if (!value) {
      bare_is_missing_ = true;
      refuse(found, value.error());
    } else if (*value && !trimmed((*value)->text).empty()) {
      const auto given = scope_.given().find(name);
      done.add_value((*value)->text, given != scope_.given().end() && given->second.literal);
      bare_is_secret_ = bare_is_secret_ || looks_secret(name);
      use(found, std::move(**value));
    } else {
      if (is_parameter_name(name) || whole[1] == '{') {
        const std::string cure = parameter_scope::cure(name);
        done_.missing.push_back({std::string(name), path_, std::string(whole)});
        if (done.is_bare()) {
          bare_is_missing_ = true;
          out_.error(path_,
                     fmt::format("the parameter {} has no value and stands outside a text; give it with {}",
                                 escaped(whole), cure));
        } else {
          out_.warning(path_,
                       fmt::format("the parameter {} has no value and stays as written; give it with {}",
                                   escaped(whole), cure));
        }
      }
      done.add(whole);
    }
    return whole.size();
  }

  /// DataX leaves `$[...]` alone; whoever wrote a date there should know.
  void warn_of_date(std::string_view text) {
    const std::size_t close = text.starts_with("$[") ? text.find(']') : std::string_view::npos;
    if (close != std::string_view::npos && date_expression::parse(text.substr(0, close + 1))) {
      const std::string written(text.substr(0, close + 1));
      out_.warning(path_,
                   fmt::format("{} stays as written, as in DataX; for the date write ${{day}} there and give "
                               "-p 'day={}'",
                               in_quotes(written), written));
    }
  }

  void use(const written_variable& found, variable_value value) {
    if (!value.doubt.empty()) {
      out_.warning(path_, value.doubt);
    }
    const std::string name(trimmed(found.name));
    done_.uses.push_back({value.parameters.contains(name) ? name : std::string(), path_,
                          std::string(found.whole), std::move(value)});
  }

  void refuse(const written_variable& found, const error& why) {
    const std::string name(trimmed(found.name));
    if (why.code == "parameter_missing") {
      done_.missing.push_back({name, path_, std::string(found.whole)});
    } else {
      refused_.insert(name);
    }
    out_.error(path_,
               looks_secret(key_of(path_)) && why.code.empty()
                   ? "a $ in this secret is no variable (its text is not shown); put the secret in with a "
                     "parameter called password, whose value is taken as it is"
                   : why.message);
  }

  /// A part of a text for a message.
  [[nodiscard]] std::string shown(std::string_view part) const {
    return in_quotes(looks_secret(key_of(path_)) ? part.substr(0, 2) : part);
  }

  dialect form_;
  const parameter_scope& scope_;
  const bare_paths& bare_;
  findings& out_;
  std::string path_;  ///< Of the text at hand.
  bool bare_is_missing_ = false;
  bool bare_is_secret_ = false;
  substitution done_;
  std::set<std::string> refused_;  ///< Given parameters whose value is wrong.
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

substitution substitute(json& document, dialect form, const parameter_scope& scope, findings& out,
                        const bare_paths& bare) {
  for (const auto& [name, value] : scope.given()) {
    if (!is_utf8(value.text)) {
      out.error("", fmt::format("the value of the parameter {} is not UTF-8", in_quotes(name)));
      return {};
    }
  }
  substituter work(form, scope, bare, out);
  work.walk(document, "", "");
  work.warn_of_unused();
  return work.take();
}

void move_places(json_places& places, const std::vector<list_growth>& growths) {
  for (const list_growth& growth : growths) {
    const std::string begin = growth.path + "[";
    std::vector<std::pair<std::string, std::pair<std::uint32_t, std::uint32_t>>> moved;
    for (auto at = places.lower_bound(begin); at != places.end() && at->first.starts_with(begin);) {
      std::size_t index = 0;
      const char* end = at->first.data() + at->first.size();
      const auto number = std::from_chars(at->first.data() + begin.size(), end, index);
      if (index <= growth.index && (growth.entries != 0 || index != growth.index)) {
        ++at;
        continue;
      }
      if (index > growth.index) {
        moved.emplace_back(fmt::format("{}{}{}", begin, index + growth.entries - 1, number.ptr), at->second);
      }
      at = places.erase(at);
    }
    const auto first = places.find(path_join(growth.path, growth.index));
    for (std::size_t i = 1; first != places.end() && i < growth.entries; ++i) {
      moved.emplace_back(path_join(growth.path, growth.index + i), first->second);
    }
    places.insert(moved.begin(), moved.end());
  }
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
                                                   in_quotes(here), at->size(), *index)
                                     : fmt::format("{} is no list", in_quotes(here)));
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
                                here.empty() ? "the job" : in_quotes(here),
                                in_quotes(std::get<std::string>(step))));
    }
    at = &(*at)[std::get<std::string>(step)];
    here = path_join(here, std::get<std::string>(step));
  }
  *at = value_from(value);
  forget_below(places, here);
  places[here] = {0, 0};
}

}  // namespace sluice
