#include "actors/supervise/make_ends.h"

#include "actors/supervise/beginnings.h"

namespace sluice {

conversion_context conversion_of(const job& what, std::shared_ptr<const time_zone> zone) {
  conversion_context conversion;
  conversion.zone = std::move(zone);
  conversion.datetime_format = what.formats.datetime_format.value_or(conversion.datetime_format);
  conversion.date_format = what.formats.date_format.value_or(conversion.date_format);
  conversion.time_format = what.formats.time_format.value_or(conversion.time_format);
  conversion.extra_formats = what.formats.extra_formats.value_or(conversion.extra_formats);
  if (!what.formats.encoding_is_utf8()) {
    conversion.bytes_encoding = *what.formats.encoding;
  }
  if (auto empty = what.writer.parameter.boolean("emptyAsNull"); empty && *empty) {
    conversion.empty_as_null = **empty;
  }
  if (what.compat == compat_mode::datax && !what.writer.parameter.has("emptyAsNull")) {
    conversion.empty_as_null = true;  // DataX's default, and counted
  }
  conversion.as_datax = what.compat == compat_mode::datax;
  return conversion;
}

namespace {

/// All but the two ends, and what they are made with.
result<plugin_context> begin_ends(const job& what, const end_settings& settings, job_ends& ends) {
  SLUICE_TRY(auto zone, time_zone::find(settings.time_zone));
  ends.conversion = conversion_of(what, std::move(zone));
  const memory_plan memory =
      divide_memory(settings.memory_bytes, what.speed.concurrent, throttle_of(what.speed));
  ends.pool = buffer_pool::make(memory.cache_bytes_max);
  plugin_context context;
  context.pool = ends.pool;
  context.zone = ends.conversion.zone;
  context.formats = ends.conversion;
  context.job_dialect = what.form;
  context.job_name = what.name;
  context.pipelines = what.speed.concurrent;
  context.marks = {what.delivery.no_marks, what.delivery.progress_table, what.delivery.progress_table_place};
  context.strict = what.strict;
  context.run = settings.run;
  context.memory_bytes = memory.end_bytes;
  context.resolve_secret = settings.resolve_secret;
  context.guard = settings.guard;
  context.warn = settings.warn;
  context.note = settings.note;
  context.waits = settings.waits;
  context.only_looks = settings.only_looks;
  context.makes_table = settings.makes_table;
  return context;
}

}  // namespace

result<job_ends> make_ends(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                           const end_settings& settings) {
  job_ends ends;
  SLUICE_TRY(const auto context, begin_ends(what, settings, ends));
  SLUICE_TRY(ends.from, reader_plugin.make_source(what.reader.parameter, context));
  SLUICE_TRY(ends.to, writer_plugin.make_target(what.writer.parameter, context));
  return ends;
}

result<job_ends> make_source_end(const job& what, const plugin& reader_plugin, const end_settings& settings) {
  job_ends ends;
  SLUICE_TRY(const auto context, begin_ends(what, settings, ends));
  SLUICE_TRY(ends.from, reader_plugin.make_source(what.reader.parameter, context));
  return ends;
}

}  // namespace sluice
