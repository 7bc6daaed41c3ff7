#include "jobspec/job.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "jobspec/catalogue.h"
#include "jobspec/check_options.h"
#include "jobspec/dialect_rules.h"
#include "jobspec/findings.h"
#include "jobspec/job_key.h"
#include "jobspec/job_shape.h"
#include "jobspec/loose_json.h"
#include "jobspec/mask.h"
#include "jobspec/parameters.h"
#include "jobspec/secrets.h"
#include "jobspec/settings.h"
#include "jobspec/transformers.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

const std::vector<option>& no_options() {
  static const std::vector<option> none;
  return none;
}

/// The plugin of that type, also by its name without DataX's suffix (`mysql` for `mysqlreader`).
std::optional<known_side> find_side(const plugin_lookup& plugins, const std::string& type, bool reader,
                                    dialect d) {
  auto found = plugins.find(type, reader, d);
  if (!found && d == dialect::datax) {
    found = plugins.find(type + (reader ? "reader" : "writer"), reader, d);
  }
  return found;
}

void report_unknown(const step_shape& step, bool reader, dialect d, const plugin_lookup& plugins,
                    findings& out) {
  const std::string_view side = reader ? "reader" : "writer";
  const std::string type = lower(step.type_text);
  if (find_side(plugins, type, !reader, d)) {
    out.error(step.path,
              fmt::format("{} {}: this plugin has no {}", side, sluice::quoted(step.type_text), side));
    return;
  }
  const auto catalogue = catalogue_names(reader, d);
  const auto in_catalogue = [&](const std::string& name) {
    return std::find(catalogue.begin(), catalogue.end(), name) != catalogue.end();
  };
  if (in_catalogue(type) || (d == dialect::datax && in_catalogue(type + std::string(side)))) {
    out.error(step.path, fmt::format("{} {} is not supported yet", side, sluice::quoted(step.type_text)));
    return;
  }
  std::vector<std::string> names = plugins.names(reader, d);
  const auto ours = names;
  names.insert(names.end(), catalogue.begin(), catalogue.end());
  std::string hint;
  if (const auto near = nearest(type, names); !near.empty()) {
    hint = fmt::format("; did you mean {}?", sluice::quoted(near));
  } else {
    for (const auto& name : ours) {
      hint += fmt::format("{}{}", hint.empty() ? "; there are " : ", ", sluice::quoted(name));
    }
  }
  out.error(step.type_path, fmt::format("there is no {} {}{}", side, sluice::quoted(step.type_text), hint));
}

/// A name such as `json` says what the file holds; an option that says otherwise is a slip in one of the two,
/// and a guess at which would read the data wrongly without a word.
void check_contradictions(const step_shape& step, const std::vector<option_default>& defaults,
                          const option_values& values, findings& out) {
  for (const auto& d : defaults) {
    const auto given = values.has(d.option) ? values.text(d.option) : std::optional<std::string>();
    if (!given || !*given) {
      continue;
    }
    const auto means = [&](const std::string& word) { return same_word(word, trimmed(**given)); };
    if (!means(d.value) && std::none_of(d.same.begin(), d.same.end(), means)) {
      out.error(path_join(step.parameter_path, d.option),
                fmt::format("found {}, but {} {} means {}; keep one of the two", sluice::quoted(**given),
                            step.type_path.substr(step.type_path.rfind('.') + 1),
                            sluice::quoted(step.type_text), sluice::quoted(d.value)));
    }
  }
}

/// One end: finds its plugin and checks its options. What is returned has options, none where the plugin is
/// not known.
known_side resolve_end(const std::optional<step_shape>& step, bool reader, dialect d,
                       const plugin_lookup& plugins, const datasource_lookup& sources, job_step& to,
                       findings& out) {
  const known_side unknown{"", &no_options()};
  if (!step || step->type_text.empty()) {
    return unknown;
  }
  to.type_text = step->type_text;
  to.place = out.place(step->path);
  auto side = find_side(plugins, lower(step->type_text), reader, d);
  if (!side) {
    report_unknown(*step, reader, d, plugins, out);
    return unknown;
  }
  if (side->options == nullptr) {
    side->options = &no_options();
  }
  to.plugin = side->plugin;
  resolved_parameter resolved =
      resolve_datasources(step->parameter, step->parameter_path, side->plugin, *side->options, sources, out);
  to.datasources = std::move(resolved.sources);
  to.parameter = option_values(out.file(), step->parameter_path, std::move(resolved.parameter), out.places(),
                               *side->options, d, side->defaults, resolved.supplied);
  if (!step->parameter_is_wrong) {
    check_options(to.parameter, *side->options, step->parameter_path, out);
    check_references(to.parameter.json(), step->parameter_path, out);
    if (side->defaults != nullptr) {
      check_contradictions(*step, *side->defaults, to.parameter, out);
    }
  }
  return *side;
}

/// The options as they are taken, for the job key: with what the step's name sets, where that is not what the
/// option's own default says. So a step means the same job however it is written.
void put_named_defaults(std::optional<step_shape>& step, const known_side& side, dialect d) {
  if (!step || side.defaults == nullptr || !step->parameter.is_object()) {
    return;
  }
  const option_values given("", "", step->parameter, nullptr, *side.options, d);
  for (const auto& one : *side.defaults) {
    const auto otherwise = given.text(one.option);
    if (!given.has(one.option) && otherwise && *otherwise != one.value) {
      step->parameter[one.option] = one.value;
    }
  }
}

/// The parameters that came into a secret, or whose own name says that they are one.
std::set<std::string> secret_parameters(const std::vector<parameter_use>& uses,
                                        const std::vector<std::string>& hidden) {
  std::set<std::string> secret;
  const std::set<std::string> paths(hidden.begin(), hidden.end());
  for (const auto& use : uses) {
    if (looks_secret(use.name) || paths.contains(use.path)) {
      secret.insert(use.name);
    }
  }
  return secret;
}

/// Everything of one call of `parse_job`.
class parse {
 public:
  parse(const std::string& file, const load_options& options, const plugin_lookup& plugins,
        loose_document read)
      : options_(options),
        plugins_(plugins),
        places_(read.places),
        original_(std::move(read.root)),
        out_(file, read.places, options.strict) {
    job_.file = file;
    job_.warnings = std::move(read.warnings);
  }

  tl::expected<job, job_errors> run() {
    job_.name = options_.name.value_or(std::filesystem::path(job_.file).stem().string());
    job_.form = recognise(original_).value_or(dialect::script2);
    document_ = original_;
    const auto uses = substitute(document_, job_.form, options_.parameters, out_);
    for (auto* target : {&document_, &original_}) {
      set_values(*target);
    }
    const job_shape shape = find_shape(document_, out_);
    const known_side reads =
        resolve_end(shape.reader, true, shape.form, plugins_, options_.datasources, job_.reader, out_);
    const known_side writes =
        resolve_end(shape.writer, false, shape.form, plugins_, options_.datasources, job_.writer, out_);
    job_.transformers = read_transformers(shape.transformers, out_);
    if (recognise(document_)) {
      read_settings(shape, job_, out_);
      job_.compat = options_.compat.value_or(job_.compat);
    }
    if (out_.any_error()) {
      job_errors wrong{out_.take_errors()};
      for (const job_step* step : {&job_.reader, &job_.writer}) {
        for (const auto& [path, text] : step->parameter.secrets_by_path()) {
          wrong.secrets.push_back(text);
        }
      }
      return tl::unexpected<job_errors>(std::move(wrong));
    }
    finish(shape, reads, writes, uses);
    for (auto& line : out_.take_warnings()) {
      job_.warnings.push_back(std::move(line));
    }
    return std::move(job_);
  }

 private:
  /// The environment that a step's data source is taken from; nothing where it names none.
  static std::optional<datasource_env> env_of(const job_step& step) {
    return step.datasources.empty() ? std::nullopt : std::optional(step.datasources.front().env);
  }

  void set_values(json& target) {
    for (const auto& [path, value] : options_.set) {
      set_value(target, *places_, path, value, out_);
    }
  }

  /// What is made of a job that is right: parameters, document, key, instance.
  void finish(const job_shape& shape, const known_side& reads, const known_side& writes,
              const std::vector<parameter_use>& uses) {
    const std::vector<described_part> parts = {{shape.reader->parameter_path, reads.options},
                                               {shape.writer->parameter_path, writes.options}};
    json shown = document_;
    const auto secret = secret_parameters(uses, mask_secrets(shown, parts));
    std::map<std::string, std::string> told;
    for (const auto& use : uses) {
      const bool hidden = secret.contains(use.name);
      job_.parameters[use.name] = hidden ? std::string(secret_mask) : options_.parameters.at(use.name);
      if (!hidden) {
        told[use.name] = options_.parameters.at(use.name);
      }
    }
    if (!secret.empty()) {
      shown = shown_without(secret);
      mask_secrets(shown, parts);
    }
    job_.document = shown.dump(2, ' ', false, json::error_handler_t::replace);
    findings silent(job_.file, nullptr, false);
    job_shape before = find_shape(original_, silent);
    put_named_defaults(before.reader, reads, shape.form);
    put_named_defaults(before.writer, writes, shape.form);
    const key_end reader{reads.plugin, *reads.options, env_of(job_.reader)};
    const key_end writer{writes.plugin, *writes.options, env_of(job_.writer)};
    job_.key = make_job_key(before, reader, writer, job_.compat);
    job_.key_parts = make_key_parts(before, reader, writer, job_.compat);
    job_.instance = make_instance(job_.key, told);
  }

  /// The job as run, with `***` for the parameters that are secrets, wherever they went.
  json shown_without(const std::set<std::string>& secret) {
    auto values = options_.parameters;
    for (const auto& name : secret) {
      values[name] = secret_mask;
    }
    json shown = unset_;
    findings silent(job_.file, nullptr, false);
    substitute(shown, job_.form, values, silent);
    json_places scratch;
    for (const auto& [path, value] : options_.set) {
      set_value(shown, scratch, path, value, silent);
    }
    return shown;
  }

  const load_options& options_;
  const plugin_lookup& plugins_;
  std::shared_ptr<json_places> places_;
  json original_;           ///< As in the file, with `--set`.
  json unset_ = original_;  ///< As in the file.
  json document_;           ///< As run.
  findings out_;
  job job_;
};

tl::unexpected<job_errors> one_error(std::string line) {
  return tl::unexpected<job_errors>(job_errors{{std::move(line)}});
}

}  // namespace

tl::expected<job, job_errors> parse_job(const std::string& file, std::string_view text,
                                        const load_options& options, const plugin_lookup& plugins) {
  auto read = read_loose_json(file, text);
  if (!read) {
    return one_error(read.error().message);
  }
  return parse(file, options, plugins, std::move(*read)).run();
}

tl::expected<job, job_errors> load_job(const std::string& file, const load_options& options,
                                       const plugin_lookup& plugins) {
  std::error_code failure;
  if (std::filesystem::is_directory(file, failure)) {
    return one_error(fmt::format("{}: this is a folder; give the job's file", escaped(file)));
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return one_error(fmt::format("{}: cannot be opened: {}", escaped(file),
                                 std::generic_category().message(errno == 0 ? EIO : errno)));
  }
  // Piece by piece, because a pipe does not tell its size; one piece too many is enough to see a file too
  // large.
  std::string text;
  std::vector<char> piece(std::size_t{64} << 10);
  while (text.size() <= job_bytes_max && in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) {
    return one_error(fmt::format("{}: reading failed; try again", escaped(file)));
  }
  return parse_job(file, text, options, plugins);
}

}  // namespace sluice
