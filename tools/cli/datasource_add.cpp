#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "jobspec/loose_json.h"
#include "jobspec/words.h"
#include "tools/cli/datasource_command.h"
#include "tools/cli/files.h"
#include "tools/cli/terminal.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

/// The registry's file is for people, too.
constexpr int indent = 2;

tl::unexpected<error> refuse(std::string why) {
  return fail(error{error_kind::bad_option, std::move(why), {}});
}

/// Everything that `program.in_fd` holds, up to a job file's limit.
result<std::string> read_input(int fd) {
  std::string text;
  char block[4096];
  while (text.size() <= job_bytes_max) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return refuse("the standard input cannot be read");
    }
    if (n == 0) {
      break;
    }
    text.append(block, static_cast<std::size_t>(n));
  }
  return text;
}

/// `host:port,host:port` as the registry has it; a JSON list as it is.
result<json> addresses_of(const std::string& text) {
  if (json::accept(text)) {
    return json::parse(text);
  }
  json list = json::array();
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string one(trimmed(std::string_view(text).substr(at, end - at)));
    const std::size_t colon = one.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == one.size()) {
      return refuse(fmt::format("found {}, expected host:port, or several behind commas", in_quotes(one)));
    }
    list.push_back({{"host", one.substr(0, colon)}, {"port", one.substr(colon + 1)}});
    at = end + 1;
  }
  return list;
}

/// A value as given on the command line or at the terminal.
result<json> value_of(const option* key, const std::string& text) {
  if (key != nullptr && key->type == option_type::object_list && !key->members.empty()) {
    return addresses_of(text);
  }
  const bool structured =
      key != nullptr && (key->type == option_type::object || key->type == option_type::object_list);
  return structured && json::accept(text) ? json::parse(text) : json(text);
}

/// Makes one entry of what was given and what is asked for.
class entry_maker {
 public:
  entry_maker(const datasource_add_arguments& arguments, const program& parts)
      : arguments_(arguments), parts_(parts), ask_(parts.in_fd, parts.err_fd) {}

  result<json> make() {
    SLUICE_CHECK(take_file());
    SLUICE_CHECK(find_name());
    SLUICE_CHECK(find_type());
    SLUICE_CHECK(take_flags());
    SLUICE_CHECK(ask_for_missing());
    complete_paths();
    json entry = {{"name", name_}, {"type", type_->name}};
    if (arguments_.registry.env) {
      entry["envType"] = *arguments_.registry.env == datasource_env::production ? "Prod" : "Dev";
    } else if (!env_.is_null()) {
      entry["envType"] = env_;
    }
    if (!arguments_.description.empty()) {
      entry["description"] = arguments_.description;
    }
    entry["connectionProperties"] = std::move(properties_);
    SLUICE_CHECK(check(entry));
    return entry;
  }

 private:
  /// `--properties`: the keys of the connection, or an entry as the registry has it.
  result<void> take_file() {
    if (!arguments_.properties_file) {
      return {};
    }
    const bool input = *arguments_.properties_file == "-";
    SLUICE_TRY(const std::string text,
               input ? read_input(parts_.in_fd) : read_file(*arguments_.properties_file, job_bytes_max));
    SLUICE_TRY(const loose_document read,
               read_loose_json(input ? "standard input" : *arguments_.properties_file, text));
    json given = read.root;
    if (!given.is_object()) {
      return refuse("--properties: expected a JSON object with the keys of the connection");
    }
    if (const auto inner = given.find("connectionProperties"); inner != given.end()) {
      type_text_ = given.value("type", json()).is_string() ? given["type"].get<std::string>() : "";
      env_ = given.value("envType", json());
      given = json(*inner);
    }
    if (given.is_object() && given.contains("envType")) {
      env_ = given["envType"];
      given.erase("envType");
    }
    properties_ = std::move(given);
    return {};
  }

  result<void> find_name() {
    name_ = arguments_.name;
    if (name_.empty() && parts_.in_is_terminal) {
      const auto answer = ask_.ask("name (That jobs give in \"datasource\".): ");
      name_ = answer ? std::string(trimmed(*answer)) : "";
    }
    return name_.empty() ? refuse("the name is missing: sluice datasource add NAME") : result<void>();
  }

  result<void> find_type() {
    if (!arguments_.type.empty()) {
      type_text_ = arguments_.type;
    }
    std::vector<std::string> names;
    for (const datasource_type& type : datasource_types()) {
      names.push_back(type.name);
    }
    if (type_text_.empty() && parts_.in_is_terminal) {
      const auto answer = ask_.ask(fmt::format("type ({}): ", fmt::join(names, ", ")));
      type_text_ = answer ? std::string(trimmed(*answer)) : "";
    }
    if (type_text_.empty()) {
      return refuse("the type is missing; give --type, such as --type sqlite");
    }
    type_ = find_datasource_type(type_text_);
    if (type_ == nullptr) {
      const auto near = nearest(type_text_, names);
      return refuse(fmt::format("there is no type {}; {}", in_quotes(type_text_),
                                near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                             : fmt::format("did you mean {}?", near)));
    }
    return {};
  }

  result<void> take_flags() {
    for (const auto& [name, text] : arguments_.set) {
      const option* key = option_named(type_->keys, name);
      if (key == nullptr) {
        std::vector<std::string> names;
        for (const option& o : type_->keys) {
          names.push_back(o.name);
        }
        const auto near = nearest(name, names);
        return refuse(fmt::format("--set {}: the type {} has no such key; {}", escaped(name), type_->name,
                                  near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                               : fmt::format("did you mean {}?", near)));
      }
      if (key->secret) {
        // What is on a command line, other users of the machine see.
        SLUICE_TRY(const auto written, secret_text::parse(text, "--set " + name));
        if (written.has_plain()) {
          return refuse(
              fmt::format("--set {}: a secret in clear on a command line can be seen by other users; leave "
                          "it out to be asked for "
                          "it, give it as JSON on standard input (--properties -), or write a reference such "
                          "as ${{env:NAME}}",
                          name));
        }
      }
      auto value = value_of(key, text);
      if (!value) {
        return refuse(fmt::format("--set {}: {}", name, value.error().message));
      }
      properties_[name] = std::move(*value);
    }
    return {};
  }

  [[nodiscard]] bool is_set(const std::string& key) const {
    const auto at = properties_.find(key);
    return at != properties_.end() && !at->is_null() && *at != "";
  }

  /// The keys that the type needs and that are not there, as far as the others tell.
  [[nodiscard]] std::vector<std::string> missing() const {
    std::vector<std::string> keys;
    for (const option& o : type_->keys) {
      if (o.required && !is_set(o.name)) {
        keys.push_back(o.name);
      }
    }
    for (const datasource_rule& rule : type_->rules) {
      const auto set = [&](const std::string& key) { return is_set(key); };
      if (rule.what == datasource_rule::kind::one_of) {
        if (std::none_of(rule.keys.begin(), rule.keys.end(), set)) {
          keys.push_back(rule.keys.front());
        }
        continue;
      }
      const bool holds = is_set(rule.when) && properties_.at(rule.when).is_string() &&
                         std::any_of(rule.values.begin(), rule.values.end(), [&](const std::string& value) {
                           return same_word(value, properties_.at(rule.when).get<std::string>());
                         });
      for (const std::string& key : rule.keys) {
        if (holds && !is_set(key)) {
          keys.push_back(key);
        }
      }
    }
    return keys;
  }

  result<void> ask_for_missing() {
    if (!parts_.in_is_terminal || arguments_.properties_file == "-") {
      return {};
    }
    for (auto keys = missing(); !keys.empty(); keys = missing()) {
      const option& key = *option_named(type_->keys, keys.front());
      std::string text;
      if (key.secret) {
        const auto answer = ask_.ask_hidden(fmt::format(
            "{} ({} Not shown; a reference such as ${{env:NAME}} is looked up at each connection): ",
            key.name, key.meaning));
        if (!answer) {
          return refuse("stopped; nothing was written");
        }
        text = answer->reveal();
      } else {
        const bool address = key.type == option_type::object_list;
        const auto answer = ask_.ask(fmt::format(
            "{} ({}{}): ", key.name, key.meaning,
            address ? " As host:port, several behind commas."
                    : (key.allowed.empty() ? std::string()
                                           : fmt::format(" One of {}.", fmt::join(key.allowed, ", ")))));
        if (!answer) {
          return refuse("stopped; nothing was written");
        }
        text = trimmed(*answer);
      }
      auto value = value_of(&key, text);
      if (!value) {
        write_out(parts_.err_fd, value.error().message + "\n");
        continue;
      }
      if (!text.empty()) {
        properties_[key.name] = std::move(*value);
      } else if (key.secret) {
        return refuse(fmt::format("{} is needed; nothing was written", key.name));
      }
    }
    return {};
  }

  /// A path as given counts from where the command runs; in the registry it would count from its folder.
  void complete_paths() {
    constexpr std::string_view sqlite = "jdbc:sqlite:";
    const auto complete = [](const std::string& path) {
      std::error_code failure;
      const auto whole = std::filesystem::absolute(path, failure).lexically_normal().string();
      return failure ? path : whole;
    };
    for (const std::string& key : type_->paths) {
      if (is_set(key) && properties_[key].is_string()) {
        properties_[key] = complete(properties_[key].get<std::string>());
      }
    }
    if (is_set("jdbcUrl") && properties_["jdbcUrl"].is_string()) {
      const auto url = properties_["jdbcUrl"].get<std::string>();
      if (url.starts_with(sqlite) && url.size() > sqlite.size() && url[sqlite.size()] != ':') {
        properties_["jdbcUrl"] = std::string(sqlite) + complete(url.substr(sqlite.size()));
      }
    }
  }

  /// The entry as the registry will read it.
  static result<void> check(const json& entry) {
    const std::string text = json{{"datasources", json::array({entry})}}.dump();
    SLUICE_TRY(const datasource_registry read, datasource_registry::parse("new", text, ""));
    std::string all;
    for (const std::string& line : read.all().front().errors) {
      constexpr std::string_view path = "datasources[0]";
      const std::size_t at = line.find(path);
      const std::string_view rest =
          at == std::string::npos ? std::string_view(line) : std::string_view(line).substr(at + path.size());
      all += fmt::format("{}{}", all.empty() ? "" : "\n", rest.starts_with('.') ? rest.substr(1) : rest);
    }
    return all.empty() ? result<void>()
                       : refuse(fmt::format("the data source would be wrong, nothing was written\n{}", all));
  }

  const datasource_add_arguments& arguments_;
  const program& parts_;
  terminal ask_;
  std::string name_;
  const datasource_type* type_ = nullptr;
  std::string type_text_;
  json env_;
  json properties_ = json::object();
};

/// The registry as it is, with the order of its keys; an empty one where there is no file.
result<json> registry_document(const std::string& path, bool drop_comments) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) {
    return json{{"version", 1}, {"datasources", json::array()}};
  }
  SLUICE_TRY(const std::string text, read_file(path, job_bytes_max));
  SLUICE_CHECK(datasource_registry::parse(path, text, ""));
  if (json::accept(text)) {
    return json::parse(text);
  }
  if (!drop_comments) {
    return refuse(fmt::format(
        "{}: the file has comments, or commas too many, which would be lost by writing it anew; add "
        "the entry by hand, or give --drop-comments",
        escaped(path)));
  }
  SLUICE_TRY(const loose_document read, read_loose_json(path, text));
  return json(read.root);
}

/// Puts the entry in place of the one for the same environment, or behind all.
result<void> put(json& document, json entry, bool replace, const std::string& path) {
  const auto env_of = [](const json& one) {
    json env = one.value("envType", json());
    if (env.is_null() && one.contains("connectionProperties") && one["connectionProperties"].is_object()) {
      env = one["connectionProperties"].value("envType", json());
    }
    return env.is_null() ? std::optional<datasource_env>()
                         : datasource_env_of(env.is_string() ? env.get<std::string>() : env.dump());
  };
  for (json& one : document["datasources"]) {
    if (!one.is_object() || one.value("name", one.value("Name", json())) != entry["name"] ||
        env_of(one) != env_of(entry)) {
      continue;
    }
    if (!replace) {
      return refuse(
          fmt::format("{} has the data source {} for {} already; --replace puts the new one in its place",
                      in_quotes(path), in_quotes(entry["name"].get<std::string>()),
                      env_of(entry) ? to_string(*env_of(entry)) : "both environments"));
    }
    one = std::move(entry);
    return {};
  }
  document["datasources"].push_back(std::move(entry));
  return {};
}

result<std::string> add(const datasource_add_arguments& arguments, const program& parts) {
  const auto places = registry_places(arguments.registry.file, parts.variable);
  std::string path = chosen_place(places).path;
  std::error_code failure;
  // A registry that is a link to a file elsewhere stays one.
  if (const auto target = std::filesystem::canonical(path, failure); !failure) {
    path = target.string();
  }
  // Before anything is asked.
  SLUICE_TRY(json document, registry_document(path, arguments.drop_comments));
  SLUICE_TRY(json entry, entry_maker(arguments, parts).make());
  const std::string name = entry["name"];
  const std::string type = entry["type"];
  std::string warning;
  if (const auto& given = entry["connectionProperties"];
      type == "localfile" && given.contains("baseDir") && given["baseDir"].is_string()) {
    const std::string below = std::filesystem::absolute(path, failure).parent_path().string();
    const std::string base = path_below(given["baseDir"].get<std::string>(), below);
    if (!std::filesystem::is_directory(base, failure)) {
      warning = fmt::format("warning: there is no folder {}\n", in_quotes(base));
    }
  }
  SLUICE_CHECK(put(document, std::move(entry), arguments.replace, path));
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) {
    SLUICE_CHECK(make_private_folder(folder.string()));
  }
  SLUICE_CHECK(write_file_whole(path, document.dump(indent) + "\n", 0600));
  write_out(parts.err_fd, warning);
  return fmt::format("{} ({}) is in {}; \"sluice datasource test {}\" tries it\n", in_quotes(name), type,
                     in_quotes(path), escaped(name));
}

}  // namespace

int datasource_add(const datasource_add_arguments& arguments, const program& parts) {
  const auto added = add(arguments, parts);
  if (added) {
    print_out(parts, *added);
    return exit_success;
  }
  write_out(parts.err_fd, "sluice: " + added.error().message + "\n");
  return added.error().kind == error_kind::bad_option ? exit_wrong_use : exit_failed;
}

}  // namespace sluice
