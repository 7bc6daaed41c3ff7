#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "jobspec/loose_json.h"
#include "jobspec/words.h"
#include "tools/cli/datasource_command.h"
#include "tools/cli/files.h"
#include "tools/cli/registry_text.h"
#include "tools/cli/terminal.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// `production`, `development`, `both environments`.
std::string variant_of(const datasource& source) {
  return source.env ? std::string(to_string(*source.env)) : "both environments";
}

/// The word of `--env` that names the entry.
std::string_view word_of(const datasource& source) {
  return !source.env ? "both" : *source.env == datasource_env::production ? "prod" : "dev";
}

std::string listed(const std::vector<const datasource*>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const datasource* one : entries) {
    texts.push_back(fmt::format("{} (--env {}, {})", variant_of(*one), word_of(*one), one->place));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The one entry that is meant.
result<const datasource*> entry_to_remove(const datasource_remove_arguments& arguments,
                                          const datasource_registry& registry) {
  std::vector<const datasource*> named;
  std::vector<std::string> names;
  for (const datasource& one : registry.all()) {
    if (one.name == arguments.name) {
      named.push_back(&one);
    } else {
      names.push_back(one.name);
    }
  }
  const std::string of = fmt::format("the data source {}", in_quotes(arguments.name));
  if (named.empty()) {
    const auto near = nearest(arguments.name, names);
    return fail(error_kind::bad_option, "there is no data source {} in {}{}", in_quotes(arguments.name),
                in_quotes(registry.file()),
                !near.empty()   ? fmt::format("; did you mean {}?", in_quotes(near))
                : names.empty() ? "; it has none"
                                : fmt::format("; it has {}", fmt::join(names, ", ")));
  }
  std::vector<const datasource*> meant = named;
  if (arguments.both || arguments.registry.env) {
    const auto variant = arguments.both ? std::nullopt : arguments.registry.env;
    std::erase_if(meant, [&](const datasource* one) { return one->env != variant; });
  }
  if (meant.empty()) {
    return fail(error_kind::bad_option, "{} has no such variant; it has {}", of, listed(named));
  }
  if (meant.size() > 1 && meant.size() == named.size() && !arguments.both && !arguments.registry.env) {
    return fail(error_kind::bad_option, "{} has {} entries: {}; say with --env which is to go", of,
                named.size(), listed(named));
  }
  if (meant.size() > 1) {
    return fail(error_kind::bad_option,
                "{} stands more than once for the same environment: {}; take one out "
                "of the file by hand",
                of, listed(meant));
  }
  return meant.front();
}

/// Asks at the terminal. `cancelled` where the answer is not yes.
result<void> confirm(const datasource_remove_arguments& arguments, const program& parts,
                     const datasource& source, const std::string& path) {
  if (arguments.yes) {
    return {};
  }
  if (!parts.in_is_terminal) {
    return fail(error_kind::bad_option, "nobody is there to ask whether {} may go; give --yes",
                in_quotes(source.name));
  }
  terminal ask(parts.in_fd, parts.err_fd);
  const auto answer = ask.ask(
      fmt::format("Remove {} ({}, {}) from {}? Jobs that name it will not run. [y/N] ",
                  in_quotes(source.name), escaped(source.type_text), variant_of(source), in_quotes(path)));
  const std::string word = answer ? lower(trimmed(*answer)) : "";
  if (word != "y" && word != "yes") {
    return fail(error_kind::cancelled, "nothing was removed");
  }
  return {};
}

result<std::string> remove(const datasource_remove_arguments& arguments, const program& parts) {
  const auto places = registry_places(arguments.registry.file, parts.variable);
  SLUICE_TRY(const loaded_registry loaded, load_registry(places));
  const datasource_registry& registry = *loaded.registry;
  std::error_code failure;
  std::string path = chosen_place(places).path;
  // A registry that is a link to a file elsewhere stays one.
  if (const auto target = std::filesystem::canonical(path, failure); !failure) {
    path = target.string();
  }
  SLUICE_TRY(const datasource* source, entry_to_remove(arguments, registry));
  SLUICE_CHECK(confirm(arguments, parts, *source, path));
  SLUICE_TRY(const std::string text, read_file(path, job_bytes_max + 1));
  // Somebody may have written the file while the question stood.
  SLUICE_TRY(const auto now, datasource_registry::parse(path, text, ""));
  const auto index = static_cast<std::size_t>(source - registry.all().data());
  if (now.all().size() != registry.all().size() || now.all()[index].name != source->name ||
      now.all()[index].env != source->env) {
    return fail(error_kind::busy, "{} was changed in the meantime; nothing was removed, try again",
                in_quotes(path));
  }
  SLUICE_TRY(const std::string rest, without_entry(path, text, index));
  SLUICE_CHECK(write_file_whole(path, rest, 0600));
  std::vector<const datasource*> left;
  for (const datasource& one : registry.all()) {
    if (one.name == source->name && &one != source) {
      left.push_back(&one);
    }
  }
  std::vector<std::string> variants;
  variants.reserve(left.size());
  for (const datasource* one : left) {
    variants.push_back(variant_of(*one));
  }
  return fmt::format("{} ({}, {}) is no longer in {}{}\n", in_quotes(source->name),
                     escaped(source->type_text), variant_of(*source), in_quotes(path),
                     left.empty() ? "" : fmt::format("; that for {} stays", fmt::join(variants, ", ")));
}

}  // namespace

int datasource_remove(const datasource_remove_arguments& arguments, const program& parts) {
  const auto removed = remove(arguments, parts);
  if (removed) {
    print_out(parts, *removed);
    return exit_success;
  }
  write_out(parts.err_fd, "sluice: " + removed.error().message + "\n");
  return removed.error().kind == error_kind::bad_option ? exit_wrong_use : exit_failed;
}

}  // namespace sluice
