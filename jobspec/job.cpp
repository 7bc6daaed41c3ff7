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
#include "jobspec/json_path.h"
#include "jobspec/known_keys.h"
#include "jobspec/loose_json.h"
#include "jobspec/mask.h"
#include "jobspec/parameters.h"
#include "jobspec/secrets.h"
#include "jobspec/settings.h"
#include "jobspec/sql_warnings.h"
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

/// The plugin of that name. In a DataX file also by the name without its suffix (`mysql` for `mysqlreader`),
/// and by what is a stepType in the other format (`csv`); in both by an everyday name (`pg`).
std::optional<known_side> find_side(const plugin_lookup& plugins, const std::string& type, bool reader,
                                    dialect d) {
  if (auto found = plugins.find(type, reader, d)) {
    return found;
  }
  std::string step_type = type;
  if (d == dialect::datax) {
    if (auto found = plugins.find(type + (reader ? "reader" : "writer"), reader, d)) {
      return found;
    }
    step_type = without_side(type, reader);
    if (auto found = plugins.find(step_type, reader, dialect::script2)) {
      return found;
    }
  }
  return plugins.find(step_type_of(step_type), reader, dialect::script2);
}

/// What is to be said of a name that no plugin of this side has: `message` at `path`.
struct unknown_name {
  std::string path;
  std::string message;
  std::string not_supported = {};  ///< Set where it is a right name: for counts.
};

unknown_name explain_unknown(const step_shape& step, bool reader, dialect d, const plugin_lookup& plugins) {
  const std::string_view side = reader ? "reader" : "writer";
  const std::string_view other = reader ? "writer" : "reader";
  const std::string type = lower(step.type_text);
  const std::string shown = in_quotes(step.type_text);
  const bool script2 = d == dialect::script2;
  const std::string base(without_side(type, !reader));
  if (base.size() < type.size() && (find_side(plugins, base, reader, d) || find_system(type) != nullptr)) {
    return {step.type_path, fmt::format("found {}, which names a {}, expected a {}; did you mean {}?", shown,
                                        other, side, in_quotes(script2 ? base : base + std::string(side)))};
  }
  if (find_side(plugins, type, !reader, d)) {
    return {step.path, fmt::format("{} {}: this plugin has no {}", side, shown, side)};
  }
  if (const auto ours = script2 ? plugins.find(type, reader, dialect::datax) : std::nullopt) {
    return {step.type_path, fmt::format("found {}, a name of DataX files; in a 2.0 file it is {}", shown,
                                        in_quotes(ours->plugin))};
  }
  if (const known_system* system = find_system(type)) {
    if (!system->has_side(reader)) {
      return {step.type_path, fmt::format("there is no {} {}; {} can only be {}", side, shown, system->title,
                                          reader ? "written" : "read")};
    }
    const std::string_view plain = without_side(type, reader);
    const bool by_own_name = step_type_of(plain) == plain;
    return {step.path,
            fmt::format("{} {}{} is not supported yet", side, shown,
                        by_own_name ? "" : fmt::format(" ({})", system->name)),
            fmt::format("{} {}", side, system->name)};
  }
  const auto ours = plugins.names(reader, d);
  std::vector<std::string_view> names(ours.begin(), ours.end());
  const auto catalogue = catalogue_names(reader, d);
  names.insert(names.end(), catalogue.begin(), catalogue.end());
  std::string hint;
  if (const auto near = nearest(type, names); !near.empty()) {
    hint = fmt::format("did you mean {}?", in_quotes(near));
  } else {
    for (const auto& name : ours) {
      hint += fmt::format("{}{}", hint.empty() ? "there are " : ", ", in_quotes(name));
    }
  }
  return {step.type_path, fmt::format("there is no {} {}{}{}", side, shown, hint.empty() ? "" : "; ", hint)};
}

void report_unknown(const step_shape& step, bool reader, dialect d, const plugin_lookup& plugins,
                    findings& out) {
  const unknown_name found = explain_unknown(step, reader, d, plugins);
  if (found.not_supported.empty()) {
    out.error(found.path, found.message);
  } else {
    out.not_supported(found.path, found.not_supported, found.message);
  }
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
                fmt::format("found {}, but {} {} means {}; keep one of the two", in_quotes(**given),
                            step.type_path.substr(step.type_path.rfind('.') + 1), in_quotes(step.type_text),
                            in_quotes(d.value)));
    }
  }
}

/// One end: finds its plugin and checks its options. What is returned has options, none where the plugin is
/// not known.
known_side resolve_end(const std::optional<step_shape>& step, bool reader, dialect d,
                       const plugin_lookup& plugins, const datasource_lookup& sources, job_step& to,
                       findings& out) {
  known_side unknown{"", &no_options()};
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
  const std::size_t errors_before = out.error_count();
  resolved_parameter resolved =
      resolve_datasources(step->parameter, step->parameter_path, side->plugin, *side->options, sources, out);
  to.datasources = std::move(resolved.sources);
  to.incomplete = out.error_count() != errors_before;
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

/// The parameters that came into a secret, alone or inside another's value, or whose own name says that they
/// are one.
std::set<std::string> secret_parameters(const std::vector<parameter_use>& uses,
                                        const std::vector<std::string>& hidden) {
  std::set<std::string> secret;
  const std::set<std::string> paths(hidden.begin(), hidden.end());
  for (const auto& use : uses) {
    for (const auto& name : use.value.parameters) {
      if (looks_secret(name) || paths.contains(use.path)) {
        secret.insert(name);
      }
    }
  }
  return secret;
}

/// The keys of `path` below the parameters of an end: `connection` and `jdbcUrl` of
/// `steps[0].parameter.connection[0].jdbcUrl[0]`; none where it is elsewhere.
std::vector<std::string> keys_in_end(std::string_view path, const job_shape& shape) {
  std::vector<std::string> keys;
  for (const auto* step : {&*shape.reader, &*shape.writer}) {
    const std::string begin = step->parameter_path + ".";
    if (!path.starts_with(begin)) {
      continue;
    }
    if (const auto inner = parse_path(path.substr(begin.size()))) {
      for (const path_step& s : *inner) {
        if (const auto* key = std::get_if<std::string>(&s)) {
          keys.push_back(*key);
        }
      }
    }
    break;
  }
  return keys;
}

/// Whether what stands at `path` is left out of the job key: `steps[1].parameter.postSql[0]`.
bool decides_no_data(std::string_view path, const job_shape& shape) {
  const std::vector<std::string> keys = keys_in_end(path, shape);
  return std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return is_no_data_option(key); });
}

/// Whether what stands at `path` is an address of an end: `steps[1].parameter.host`.
bool is_in_address(std::string_view path, const job_shape& shape) {
  const std::vector<std::string> keys = keys_in_end(path, shape);
  const std::size_t at = !keys.empty() && lower(keys.front()) == "connection" ? 1 : 0;
  return keys.size() > at && is_address_option(keys[at]);
}

bool any_of_them(const std::set<std::string>& names, const std::set<std::string>& in) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return in.contains(name); });
}

given_parameters given_by(const load_options& options) {
  given_parameters given;
  for (const auto& [name, text] : options.parameters) {
    const auto origin = options.parameter_origins.find(name);
    given[name] = {text, origin == options.parameter_origins.end() ? "-p" : origin->second,
                   options.literal_parameters.contains(name)};
  }
  return given;
}

/// Everything of one call of `parse_job`.
class parse {
 public:
  parse(const std::string& file, const load_options& options, const plugin_lookup& plugins,
        loose_document read)
      : options_(options),
        plugins_(plugins),
        places_(read.places),
        bare_(std::move(read.bare)),
        original_(std::move(read.root)),
        out_(file, read.places, options.strict) {
    job_.file = file;
    job_.strict = options.strict;
    job_.warnings = std::move(read.warnings);
  }

  tl::expected<job, job_errors> run() {
    job_.name = options_.name.value_or(std::filesystem::path(job_.file).stem().string());
    const auto uses = put_in();
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
    ask_plugins(shape);
    if (out_.any_error()) {
      const bool broken = !out_.only_not_supported();
      job_errors wrong{out_.take_errors(), {}, out_.not_supported(), broken, out_.take_warnings()};
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

  /// The variables alone.
  job_variables variables() {
    const auto uses = put_in();
    job_variables all;
    all.form = job_.form;
    all.planned = job_.planned;
    all.time_zone = early_zone_;
    all.time_zone_place = early_zone_place_;
    findings silent(job_.file, places_, false);
    const job_shape shape = find_shape(document_, silent);
    std::vector<described_part> parts;
    for (const auto& [step, reader] : {std::pair{&shape.reader, true}, std::pair{&shape.writer, false}}) {
      if (*step) {
        job_step ignored;
        parts.push_back({(*step)->parameter_path,
                         resolve_end(*step, reader, shape.form, plugins_, {}, ignored, silent).options});
      }
    }
    const auto secret = secret_parameters(uses, mask_secrets(document_, parts));
    json shown = shown_without(secret);
    mask_secrets(shown, parts);
    warn_of_sql(uses, shown, parts, out_);
    all.errors = out_.take_errors();
    all.warnings = out_.take_warnings();
    for (const auto& use : uses) {
      auto known = std::find_if(all.variables.begin(), all.variables.end(),
                                [&](const auto& one) { return one.written == use.written; });
      if (known == all.variables.end()) {
        const bool hidden = any_of_them(use.value.parameters, secret);
        known = all.variables.insert(known, {use.written,
                                             hidden ? std::string(secret_mask) : use.value.expression,
                                             hidden ? std::string(secret_mask) : use.value.text,
                                             use.value.origin,
                                             {}});
      }
      if (const std::string place = out_.place(use.path);
          known->places.empty() || known->places.back() != place) {
        known->places.push_back(place);
      }
    }
    return all;
  }

 private:
  /// What the parser does not know itself.
  void ask_plugins(const job_shape& shape) {
    if (!plugins_.check || !recognise(document_)) {
      return;
    }
    job asked = job_;
    for (const auto& [step, end] :
         {std::pair{&shape.reader, &asked.reader}, std::pair{&shape.writer, &asked.writer}}) {
      if (!*step || (*step)->parameter_is_wrong || end->incomplete) {
        end->plugin.clear();
      }
    }
    const text_verdict said = plugins_.check(asked);
    job_.order_compared = said.order_compared;
    for (const std::string& line : said.errors) {
      out_.error_of_another(line);
    }
    for (const std::string& line : said.warnings) {
      out_.warning_of_another(line);
    }
  }

  /// The environment that a step's data source is taken from; nothing where it names none.
  static std::optional<datasource_env> env_of(const job_step& step) {
    return step.datasources.empty() ? std::nullopt : std::optional(step.datasources.front().env);
  }

  /// The document as run: variables and `--set` put in.
  std::vector<parameter_use> put_in() {
    job_.form = recognise(original_).value_or(dialect::script2);
    plan();
    document_ = original_;
    substitution done = substitute(document_, job_.form, scope(given_), out_, bare_);
    move_places(*places_, done.growths);
    auto& uses = done.uses;
    // The document is walked by the names of its keys.
    std::stable_sort(uses.begin(), uses.end(), [this](const parameter_use& x, const parameter_use& y) {
      return position_of(places_.get(), x.path) < position_of(places_.get(), y.path);
    });
    for (auto* target : {&document_, &original_}) {
      set_values(*target);
    }
    return std::move(uses);
  }

  [[nodiscard]] parameter_scope scope(const given_parameters& given) const {
    return {given, job_.planned ? &*job_.planned : nullptr};
  }

  /// Asks for the planned time in the job's own zone, which may be a parameter but no date.
  void plan() {
    if (!options_.plan) {
      return;
    }
    json early = original_;
    findings silent(job_.file, nullptr, false);
    substitute(early, job_.form, {given_, nullptr}, silent, bare_);
    json_places scratch;
    for (const auto& [path, value] : options_.set) {
      set_value(early, scratch, path, value, silent);
    }
    const placed_json found = find_shape(early, silent).common;
    const json& common = found.value;
    early_zone_place_ = out_.place(path_join(path_join(found.path, "column"), "timeZone"));
    std::optional<std::string>& zone = early_zone_;
    if (common.is_object() && common.contains("column") && common["column"].is_object() &&
        common["column"].contains("timeZone") && common["column"]["timeZone"].is_string()) {
      zone = trimmed(common["column"]["timeZone"].get_ref<const std::string&>());
      zone = zone->empty() ? std::nullopt : zone;
    }
    if (auto planned = options_.plan(job_.form, zone)) {
      job_.planned = std::move(*planned);
    } else {
      out_.error("", planned.error().message);
    }
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
    std::map<std::string, std::string> told_elsewhere;  // than in addresses
    findings silent(job_.file, nullptr, false);
    job_shape before = find_shape(original_, silent);
    put_named_defaults(before.reader, reads, shape.form);
    put_named_defaults(before.writer, writes, shape.form);
    const key_end reader{reads.plugin, *reads.options, env_of(job_.reader)};
    const key_end writer{writes.plugin, *writes.options, env_of(job_.writer)};
    const json ends = without_addresses(before, reader, writer, job_.compat);
    const std::string ends_text = ends.dump(-1, ' ', false, json::error_handler_t::replace);
    for (const auto& use : uses) {
      if (use.value.uses_date && job_.date_place.empty()) {
        job_.date_place = out_.place(use.path);
      }
      if (use.name.empty()) {
        continue;
      }
      const bool hidden = any_of_them(use.value.parameters, secret);
      job_.parameters[use.name] = hidden ? std::string(secret_mask) : use.value.text;
      if (decides_no_data(use.path, shape)) {
        continue;  // nor is it a part of the instance
      }
      // Where no planned time was given, what the clock made of a value is no part of the instance.
      const bool by_clock = use.value.uses_date && !(job_.planned && job_.planned->given);
      // One in the name of a database stands in what is left of its address, too.
      const bool address = is_in_address(use.path, shape) && ends_text.find(use.written) == std::string::npos;
      for (auto* to : {&told, address ? nullptr : &told_elsewhere}) {
        if (to == nullptr || hidden) {
          continue;
        }
        if (!by_clock) {
          (*to)[use.name] = use.value.text;
          continue;
        }
        for (const auto& name : use.value.parameters) {
          (*to)[name] = given_.at(name).text;
        }
      }
    }
    if (!secret.empty()) {
      shown = shown_without(secret);
      mask_secrets(shown, parts);
    }
    warn_of_sql(uses, shown, parts, out_);
    job_.document = shown.dump(2, ' ', false, json::error_handler_t::replace);
    job_.key = make_job_key(before, reader, writer, job_.compat);
    job_.key_parts = make_key_parts(before, reader, writer, job_.compat);
    const auto planned =
        job_.planned && job_.planned->given ? std::optional(job_.planned->text()) : std::nullopt;
    job_.instance = make_instance(job_.key, told, planned);
    job_.ends.key = digest_of(ends);
    job_.ends.instance = make_instance(job_.ends.key, told_elsewhere, planned);
    const json reader_addresses = addresses_of(job_.reader.parameter.json());
    job_.ends.reader_address = reader_addresses.is_null() ? "" : digest_of(reader_addresses);
  }

  /// The job as run, with `***` for the parameters that are secrets, wherever they went.
  json shown_without(const std::set<std::string>& secret) {
    auto values = given_;
    for (const auto& name : secret) {
      values[name] = {std::string(secret_mask), {}, true};
    }
    json shown = unset_;
    findings silent(job_.file, nullptr, false);
    substitute(shown, job_.form, scope(values), silent, bare_);
    json_places scratch;
    for (const auto& [path, value] : options_.set) {
      set_value(shown, scratch, path, value, silent);
    }
    return shown;
  }

  const load_options& options_;
  const given_parameters given_ = given_by(options_);
  const plugin_lookup& plugins_;
  std::shared_ptr<json_places> places_;
  const bare_paths bare_;
  json original_;           ///< As in the file, with `--set`.
  json unset_ = original_;  ///< As in the file.
  json document_;           ///< As run.
  findings out_;
  std::optional<std::string> early_zone_;  ///< `common.column.timeZone` before anything else is read.
  std::string early_zone_place_;
  job job_;
};

tl::unexpected<job_errors> one_error(std::string line) {
  return tl::unexpected<job_errors>(job_errors{{std::move(line)}});
}

tl::expected<std::string, job_errors> text_of(const std::string& file) {
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
  return text;
}

}  // namespace

tl::expected<job, job_errors> parse_job(const std::string& file, std::string_view text,
                                        const load_options& options, const plugin_lookup& plugins) {
  auto read = read_loose_json(file, text, bare_variables::kept);
  if (!read) {
    return one_error(read.error().message);
  }
  return parse(file, options, plugins, std::move(*read)).run();
}

tl::expected<job, job_errors> load_job(const std::string& file, const load_options& options,
                                       const plugin_lookup& plugins) {
  const auto text = text_of(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  return parse_job(file, *text, options, plugins);
}

tl::expected<job_variables, job_errors> load_variables(const std::string& file, const load_options& options,
                                                       const plugin_lookup& plugins) {
  const auto text = text_of(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  auto read = read_loose_json(file, *text, bare_variables::kept);
  if (!read) {
    return one_error(read.error().message);
  }
  return parse(file, options, plugins, std::move(*read)).variables();
}

}  // namespace sluice
