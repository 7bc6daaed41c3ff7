#include "tools/cli/job_flags.h"

namespace sluice {

void registry_flags::describe(CLI::App& app) {
  app.add_option("--datasources", file_,
                 "Registry of data sources; default: $SLUICE_DATASOURCES, the user's sluice/datasources.json")
      ->type_name("FILE");
  app.add_option("--env", env_,
                 "Variant of data sources: prod or dev; default: the step's envType, else prod")
      ->type_name("ENV");
}

result<registry_arguments> registry_flags::given() const {
  registry_arguments to;
  to.file = given_text(file_);
  if (!env_.empty()) {
    SLUICE_TRY(to.env, one_of<datasource_env>(
                           "--env", env_,
                           {{"prod", datasource_env::production}, {"dev", datasource_env::development}}));
  }
  return to;
}

void heading_flags::describe(CLI::App& app) {
  app.add_flag("--header", with_, "The source's first record is a heading; default: what its look says");
  app.add_flag("--no-header", without_, "The source's first record is none");
}

result<std::optional<bool>> heading_flags::given() const {
  if (with_ && without_) {
    return usage("--header and --no-header exclude each other; give one");
  }
  return with_ || without_ ? std::optional(with_) : std::nullopt;
}

void job_flags::describe(CLI::App& app) {
  app.add_option("-p,--param", parameters_,
                 "Parameter name=value, put in for ${name}; may be repeated. The value may hold $bizdate, "
                 "${yyyymmdd-1}, "
                 "$[hh24-1/24]. DataX's form -p \"-Dname=value\" too")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option(
         "--param-file", parameter_files_,
         "File of parameters, name=value in lines or a JSON object; may be repeated. -p goes before it")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--cyctime", planned_.cyctime,
                 "Planned time of the run, \"2025-07-20 10:30:00\"; dates of the job are counted from it. "
                 "Default: now")
      ->type_name("TIME");
  app.add_option("--bizdate", planned_.bizdate,
                 "Business date, 20250719: the planned day is the next one, at 00:00:00 or --at")
      ->type_name("DAY");
  app.add_option("--at", planned_.at, "Planned time of day, 10:30: the last such time at or before now")
      ->type_name("HH:MM");
  app.add_option("--set", set_, "Value at a path of the job, after parameters; may be repeated")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  app.add_option("--name", name_, "Name of the job; default: the file's name without .json");
  app.add_option("--timezone", time_zone_,
                 "Time zone of the run where the job sets none, such as Europe/Berlin");
  app.add_option(
         "--compat", compat_,
         "Values that do not fit: exact (their records are dirty) or datax (changed as DataX does, and "
         "counted); default: setting.compat, else exact")
      ->type_name("MODE");
  app.add_flag("--strict", strict_,
               "Refuse what is only warned of else: unknown keys, columns in another order");
  datasources_.describe(app);
}

result<void> job_flags::put_into(job_arguments& to, std::vector<planned_request>* range) const {
  SLUICE_CHECK(put_parameters(to.parameters, to.literal_parameters, parameters_));
  to.parameter_files = parameter_files_;
  SLUICE_TRY(const auto planned, planned_times(planned_));
  if (planned.size() > 1 && range != nullptr) {
    *range = planned;
  } else if (planned.size() > 1) {
    return fail(error_kind::bad_option, "--bizdate: {} is a range; give one day",
                in_quotes(planned_.bizdate));
  }
  to.planned = planned.front();
  SLUICE_TRY(to.set, paths_and_values(set_));
  if (!compat_.empty()) {
    SLUICE_TRY(to.compat,
               one_of<compat_mode>("--compat", compat_,
                                   {{"exact", compat_mode::exact}, {"datax", compat_mode::datax}}));
  }
  to.name = given_text(name_);
  to.time_zone = given_text(time_zone_);
  to.strict = strict_;
  SLUICE_TRY(to.datasources, datasources_.given());
  return {};
}

}  // namespace sluice
