// Reads a CSV file through the text plugin's reader and prints its speed in CPU time: `read_text FILE
// [column.type ...]`. Without types all columns are text. What is measured is reading, scanning and building
// columns; `seal` says how much longer hashing takes.
#include <fmt/core.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>

#include "plugins/text/text_reader.h"

namespace {

using namespace sluice;

/// CPU time of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

result<void> run(int count, char** arguments) {
  nlohmann::json parameter = {{"path", arguments[1]}};
  for (int i = 2; i < count; ++i) {
    parameter["column"].push_back({{"index", i - 2}, {"type", arguments[i]}});
  }
  plugin_context context;
  context.pool = buffer_pool::make(std::size_t{16} << 20);
  context.warn = [](const std::string& line) { fmt::print("{}\n", line); };
  const option_values options("bench", "reader", parameter, nullptr, text_reader_description().options,
                              dialect::script2);
  SLUICE_TRY(auto source, make_text_source(options, context));
  SLUICE_TRY(const auto description, source->open({}));
  SLUICE_TRY(const auto splits, source->plan_splits(1, {}));
  SLUICE_TRY(auto reader, source->make_reader());
  batch_builder builder(description.columns, context.pool, {.bytes_target = std::size_t{1} << 20});
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t dirty = 0;
  double reading = 0;
  double sealing = 0;
  for (const split& s : splits) {
    SLUICE_CHECK(reader->open(s.description, {}, {}));
    bytes += s.bytes_estimate.value_or(0);
    for (bool more = true; more;) {
      const double start = cpu_seconds();
      SLUICE_TRY(const auto answer, reader->read(builder, {}));
      const double read = cpu_seconds();
      const auto batch = builder.seal(records);
      records += batch->records_read;
      dirty += batch->dirty.size();
      reading += read - start;
      sealing += cpu_seconds() - read;
      more = answer.what == read_answer::kind::full;
    }
  }
  fmt::print(
      "{} records ({} dirty), {:.0f} MB: read {:.0f} MB/s, {:.1f} ns a record; seal {:.1f} ns a record\n",
      records, dirty, static_cast<double>(bytes) / 1e6, static_cast<double>(bytes) / 1e6 / reading,
      reading * 1e9 / static_cast<double>(records), sealing * 1e9 / static_cast<double>(records));
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: read_text FILE [type of each column]\n");
    return 2;
  }
  if (const auto done = run(count, arguments); !done) {
    fmt::print(stderr, "{}\n", done.error().message);
    return 1;
  }
  return 0;
}
