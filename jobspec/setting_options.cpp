#include "jobspec/setting_options.h"

#include <utility>

namespace sluice {
namespace {

option error_limit_option() {
  return {.name = "errorLimit",
          .type = option_type::object,
          .meaning = "How many dirty records a run bears; without it any number.",
          .members = {
              {.name = "record",
               .type = option_type::integer,
               .meaning = "The run fails with the dirty record after this many; 0 bears none.",
               .number_min = 0},
              {.name = "percentage",
               .type = option_type::number,
               .meaning = "Share of dirty records among those read, judged where `record` is not given.",
               .number_min = 0,
               .number_max = 1},
              {.name = "strategy",
               .meaning = "`ZeroTolerance` bears none, `Ignore` any number, `Tolerance` as many as `record`.",
               .allowed = {"Ignore", "Tolerance", "ZeroTolerance"}}}};
}

option expect_option() {
  return {.name = "expect",
          .type = option_type::object,
          .meaning = "What the run must look like, else it fails.",
          .members = {{.name = "min_records",
                       .type = option_type::integer,
                       .meaning = "Least number of records read.",
                       .number_min = 0},
                      {.name = "max_records",
                       .type = option_type::integer,
                       .meaning = "Greatest number of records read.",
                       .number_min = 0},
                      {.name = "max_dirty_ratio",
                       .type = option_type::number,
                       .meaning = "Greatest share of dirty records among those read.",
                       .number_min = 0,
                       .number_max = 1}}};
}

option compat_option() {
  return {.name = "compat",
          .meaning =
              "`exact`: a value that does not fit makes its record dirty. `datax`: it is changed as DataX "
              "changes it, and counted.",
          .default_text = "exact",
          .allowed = {"exact", "datax"}};
}

option verify_option() {
  return {.name = "verify",
          .type = option_type::boolean,
          .meaning =
              "Whether what stands at the destination is compared with what was written, before postSql; a "
              "difference fails the run (docs/verify.md).",
          .default_text = "false"};
}

option delivery_option() {
  return {.name = "delivery",
          .meaning =
              "`exactly_once` is refused where an end cannot keep it, and makes a transaction as large as "
              "it takes. `at_least_once` commits what cannot be begun inside in parts, whose rows may be "
              "there twice behind a failure. `auto` is exactly once as far as the destination's "
              "transactions bear it.",
          .default_text = "auto",
          .allowed = {"auto", "exactly_once", "at_least_once"}};
}

option progress_table_option() {
  return {.name = "progressTable",
          .meaning =
              "Where the marks of the run stand: `ops.sluice` means the tables `sluice_run` and "
              "`sluice_progress` in the schema or database `ops`. `none`: no marks are kept, and a run "
              "that is begun again starts over.",
          .default_text = "sluice"};
}

option byte_option() {
  return {.name = "byte",
          .type = option_type::integer,
          .meaning = "Bytes a second for the whole job.",
          .aliases = {"bytes"}};
}

option record_option() {
  return {.name = "record", .type = option_type::integer, .meaning = "Records a second for the whole job."};
}

std::vector<option> script2_options() {
  return {{.name = "executeMode",
           .meaning = "`distribute` spreads the pipelines over several nodes.",
           .allowed = {"distribute"}},
          error_limit_option(),
          {.name = "speed",
           .type = option_type::object,
           .meaning = "How fast a run may be.",
           .members = {{.name = "concurrent",
                        .type = option_type::integer,
                        .meaning = "Pipelines at a time.",
                        .default_text = "3",
                        .aliases = {"channel"},
                        .number_min = 1,
                        .number_max = 256},
                       {.name = "throttle",
                        .type = option_type::boolean,
                        .meaning = "Whether `mbps` counts.",
                        .default_text = "false"},
                       {.name = "mbps",
                        .type = option_type::integer,
                        .meaning = "MiB a second for the whole job; counts with `throttle`.",
                        .checked_when_used = true,
                        .number_min = 1,
                        .number_max = 1'000'000},
                       {.name = "dmu", .meaning = "A billing unit of old scripts; without effect."},
                       byte_option(),
                       record_option()}},
          {.name = "common",
           .type = option_type::object,
           .meaning = "Formats of text to and from times.",
           .members = common_options()},
          expect_option(),
          compat_option(),
          verify_option(),
          delivery_option(),
          progress_table_option()};
}

std::vector<option> datax_options() {
  return {error_limit_option(),
          {.name = "speed",
           .type = option_type::object,
           .meaning = "How fast a run may be (one of `channel`, `byte`, `record` at least).",
           .members = {{.name = "channel", .type = option_type::integer, .meaning = "Channels at a time."},
                       byte_option(),
                       record_option()}},
          {.name = "dryRun",
           .type = option_type::boolean,
           .meaning = "Checks only; not supported.",
           .default_text = "false"},
          {.name = "keyVersion", .meaning = "Key of encrypted secrets; not supported."},
          expect_option(),
          compat_option(),
          verify_option(),
          delivery_option(),
          progress_table_option()};
}

}  // namespace

const std::vector<option>& setting_options(dialect d) {
  static const std::vector<option> script2 = script2_options();
  static const std::vector<option> datax = datax_options();
  return d == dialect::datax ? datax : script2;
}

const std::vector<option>& common_options() {
  static const std::vector<option> options = {
      {.name = "column",
       .type = option_type::object,
       .meaning = "Formats of text to and from times.",
       .members = {{.name = "timeZone",
                    .meaning = "Time zone of the run: a name such as `Asia/Shanghai` or `GMT+8`."},
                   {.name = "datetimeFormat", .meaning = "Format of a date with a time."},
                   {.name = "dateFormat", .meaning = "Format of a date."},
                   {.name = "timeFormat", .meaning = "Format of a time of day."},
                   {.name = "extraFormats",
                    .type = option_type::text_list,
                    .meaning = "Formats tried after the others."},
                   {.name = "encoding", .meaning = "Encoding between bytes and text."}}}};
  return options;
}

const std::vector<option>& core_options() {
  static const std::vector<option> options = [] {
    const auto group = [](std::string name, std::vector<option> members) {
      return option{.name = std::move(name),
                    .type = option_type::object,
                    .meaning = "Settings of DataX's engine.",
                    .members = std::move(members)};
    };
    // Of DataX's own engine, which Sluice has not: accepted, so that only a slip of the fingers is named.
    const auto unused = [](std::string name) {
      return option{.name = std::move(name), .meaning = "Of DataX's engine; without effect."};
    };
    const std::vector<option> limits = {{.name = "byte",
                                         .type = option_type::integer,
                                         .meaning = "Bytes a second of one channel.",
                                         .default_text = "-1"},
                                        {.name = "record",
                                         .type = option_type::integer,
                                         .meaning = "Records a second of one channel.",
                                         .default_text = "-1"}};
    return std::vector<option>{
        group("transport",
              {group("channel", {group("speed", limits), unused("class"), unused("flowControlInterval"),
                                 unused("capacity"), unused("byteCapacity")}),
               group("exchanger", {unused("class"), unused("bufferSize")})}),
        group(
            "container",
            {group("job", {unused("id"), unused("mode"), unused("reportInterval"), unused("sleepInterval")}),
             group("taskGroup",
                   {unused("id"), unused("channel"), unused("sleepInterval"), unused("reportInterval")}),
             group("task", {group("failOver", {unused("maxRetryTimes"), unused("retryIntervalInMsec"),
                                               unused("maxWaitInMsec")})}),
             group("trace", {unused("enable")}), unused("model")}),
        group("statistics",
              {group("collector", {group("plugin", {unused("taskClass"), unused("maxDirtyNumber")})})}),
        group("dataXServer", {unused("address"), unused("timeout"), unused("reportDataxLog"),
                              unused("reportPerfLog"), unused("protocol")}),
        group("transformer", {})};
  }();
  return options;
}

}  // namespace sluice
