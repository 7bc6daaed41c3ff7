// CPU nanoseconds a row for the canonical sum and for seal() as a whole, of rows with 10 mixed columns of
// about 100 bytes. Not a test: it prints, and somebody compares.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "transport/record/batch_builder.h"
#include "transport/record/canonical.h"

namespace {

using namespace sluice;

constexpr std::uint32_t batch_rows = 4096;

schema_ptr mixed_columns() {
  schema s;
  for (const data_type& type : {type_of(type_id::int64), type_of(type_id::int64), decimal_type(18, 2),
                                type_of(type_id::utf8), type_of(type_id::utf8), type_of(type_id::utf8),
                                type_of(type_id::date), time_type(type_id::timestamp, time_unit::micro),
                                type_of(type_id::float64), type_of(type_id::boolean)}) {
    s.push_back({.name = "c", .type = type});
  }
  return std::make_shared<const schema>(std::move(s));
}

struct source_data {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
};

source_data random_data() {
  std::mt19937_64 engine(1);
  source_data d;
  for (std::uint32_t i = 0; i < batch_rows * 3; ++i) {
    d.numbers.push_back(static_cast<std::int64_t>(engine() % 10'000'000));
    d.texts.emplace_back(6 + engine() % 20, static_cast<char>('a' + engine() % 26));
  }
  return d;
}

void fill(batch_builder& builder, const source_data& d, unsigned null_every) {
  for (std::uint32_t row = 0; row < batch_rows; ++row) {
    const auto n = [&](std::uint32_t i) { return d.numbers[row * 3 + i]; };
    for (std::uint32_t c = 0; c < 10; ++c) {
      auto& to = builder.at(c);
      if (null_every != 0 && static_cast<unsigned>(n(c % 3)) % null_every == 0) {
        to.append_null();
        continue;
      }
      switch (to.type().id) {
        case type_id::decimal:
          to.append(int128{n(0)});
          break;
        case type_id::utf8:
          to.append_bytes(d.texts[row * 3 + c % 3]);
          break;
        case type_id::date:
          to.append(static_cast<std::int32_t>(n(1) % 20000));
          break;
        case type_id::float64:
          to.append(static_cast<double>(n(2)) / 7);
          break;
        case type_id::boolean:
          to.append_bool(n(1) % 2 == 0);
          break;
        default:
          to.append(n(2));
      }
    }
    builder.commit_row();
  }
}

/// CPU time of this thread, so that a busy machine does not count.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void measure(const char* name, unsigned null_every, int rounds) {
  const auto columns = mixed_columns();
  const auto pool = buffer_pool::make(std::size_t{16} << 20);
  batch_builder builder(columns, pool, {});
  const source_data data = random_data();
  double filling = 0;
  double sealing = 0;
  double summing = 0;
  row_sum sum;
  std::uint64_t bytes = 0;
  for (int i = 0; i < rounds; ++i) {
    auto begin = cpu_seconds();
    fill(builder, data, null_every);
    filling += cpu_seconds() - begin;
    begin = cpu_seconds();
    const auto b = builder.seal(0);
    sealing += cpu_seconds() - begin;
    begin = cpu_seconds();
    sum += canonical_sum(b->columns, *columns, 0, b->rows);
    summing += cpu_seconds() - begin;
    bytes += b->record_bytes;
  }
  const double rows = static_cast<double>(rounds) * batch_rows;
  std::printf("%-22s %5.1f bytes a row: append %5.1f ns, seal %5.1f ns, canonical_sum %5.1f ns (%s)\n", name,
              static_cast<double>(bytes) / rows, filling / rows * 1e9, sealing / rows * 1e9,
              summing / rows * 1e9, to_string(sum).substr(0, 8).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500;
  measure("no NULL", 0, rounds);
  measure("one NULL in 10", 10, rounds);
  return 0;
}
