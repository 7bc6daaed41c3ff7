#include "plugins/stream/stream_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobspec/option_mistakes.h"
#include "plugins/stream/stream_columns.h"
#include "plugins/stream/stream_filler.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::uint32_t chunk_rows_max = 8192;  // A stop is seen after that many records at the latest.

result<std::uint64_t> number(const scalar_list& list, std::string_view name) {
  const scalar* found = find(list, name);
  const auto* value = found == nullptr ? nullptr : std::get_if<std::uint64_t>(&found->value);
  if (value == nullptr) {
    return fail(error_kind::internal, "The split or cursor of stream has no number {}; report this.",
                in_quotes(name));
  }
  return *value;
}

class stream_reader final : public reader {
 public:
  explicit stream_reader(const std::vector<stream_column>& columns) : columns_(columns) {}

  result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                    const stop_signal& stop) override {
    (void)stop;
    SLUICE_TRY(const std::uint64_t slice, number(split_description, "slice"));
    SLUICE_TRY(const std::uint64_t seed, number(split_description, "seed"));
    SLUICE_TRY(records_, number(split_description, "records"));
    next_ = 0;
    if (after) {
      SLUICE_TRY(next_, number(*after, "record"));
    }
    filler_.emplace(columns_, seed, slice);
    return {};
  }

  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override {
    while (next_ < records_ && !builder.full()) {
      if (stop.fired()) {
        return fail(error_kind::cancelled, "Stopped at record {} of the slice.", next_);
      }
      const std::uint32_t count = chunk(builder);
      if (count != 0) {
        filler_->append(builder, next_, count);
        next_ += count;
      } else if (filler_->record_bytes(next_) > builder.limit().record_bytes_max) {
        builder.refuse(filler_->too_large(builder, next_));
        ++next_;
      } else if (const std::uint64_t bytes = builder.bytes() + filler_->builder_bytes(next_);
                 bytes <= builder.limit().bytes_max) {
        filler_->append(builder, next_, 1);
        ++next_;
      } else if (builder.records() == 0) {
        return read_answer{read_answer::kind::needs, bytes};
      } else {
        break;
      }
    }
    builder.set_cursor({{"record", scalar{next_}}});
    return read_answer{next_ == records_ ? read_answer::kind::end : read_answer::kind::full};
  }

 private:
  /// How many records surely fit the builder; 0 where not even one does surely.
  std::uint32_t chunk(const batch_builder& builder) const {
    const batch_builder::limits& limit = builder.limit();
    const std::uint64_t one = std::max<std::uint64_t>(filler_->builder_bytes_max(), 1);
    if (one > limit.record_bytes_max) {
      return 0;
    }
    const std::uint64_t held = builder.bytes();
    const std::uint64_t to_target = limit.bytes_target > held ? (limit.bytes_target - held) / one : 0;
    const std::uint64_t to_limit = limit.bytes_max > held ? (limit.bytes_max - held) / one : 0;
    // Where records are small, a few more than the target saves many small steps towards it.
    const std::uint64_t wanted = std::max<std::uint64_t>(to_target, 64);
    return static_cast<std::uint32_t>(
        std::min({wanted, to_limit, records_ - next_, std::uint64_t{chunk_rows_max},
                  std::uint64_t{limit.rows_max - builder.rows()}}));
  }

  const std::vector<stream_column>& columns_;
  std::optional<stream_filler> filler_;
  std::uint64_t records_ = 0;
  std::uint64_t next_ = 0;
};

class stream_source final : public source {
 public:
  stream_source(std::vector<stream_column> columns, std::uint64_t records, std::uint64_t seed)
      : columns_(std::move(columns)), records_(records), seed_(seed) {}

  result<source_description> open(const stop_signal& stop) override {
    (void)stop;
    return source_description{
        .columns = schema_of(columns_),
        .statements = {fmt::format("{} made-up records a slice", with_thousands(records_))},
        .repeatable = true,
        .resumable = true};
  }

  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) override {
    (void)stop;
    std::vector<split> splits;
    for (std::uint64_t i = 0; i < std::max(advice, 1U); ++i) {
      splits.push_back(
          {.description = {{"slice", scalar{i}}, {"records", scalar{records_}}, {"seed", scalar{seed_}}},
           .label = fmt::format("slice {} of {} records", i, with_thousands(records_)),
           .records_exact = records_,
           .bytes_estimate = std::nullopt});
    }
    return splits;
  }

  result<std::unique_ptr<reader>> make_reader() override { return std::make_unique<stream_reader>(columns_); }

 private:
  const std::vector<stream_column> columns_;
  const std::uint64_t records_;
  const std::uint64_t seed_;
};

/// Random values differ from run to run; the seed is frozen with the splits.
std::uint64_t seed_of(const run_id& run) {
  std::uint64_t seed = 0;
  for (const std::uint8_t byte : run.bytes) {
    seed = seed * 257 + byte;
  }
  return seed;
}

}  // namespace

const side_description& stream_reader_description() {
  static const side_description description{
      .options = {stream_column_option(),
                  {.name = "sliceRecordCount",
                   .type = option_type::integer,
                   .meaning =
                       "Records of each slice; there are as many slices as pipelines, so that a job makes "
                       "sliceRecordCount times slices.",
                   .required = true,
                   .number_min = 1}},
      .can = {.splits = "into as many equal slices as there are pipelines",
              .resumes = "inside a slice, at any record",
              .incremental = "not applicable: records are made up",
              .repeatable = true,
              .distributable = true},
      .sample = R"({
  "column": [
    {"type": "long", "random": "1,1000"},
    {"type": "string", "value": "sluice"},
    {"type": "date", "random": "2024-01-01 00:00:00,2024-12-31 23:59:59"}
  ],
  "sliceRecordCount": 100
})"};
  return description;
}

result<std::unique_ptr<source>> make_stream_source(const option_values& options,
                                                   const plugin_context& context) {
  option_mistakes wrong;
  std::vector<stream_column> columns;
  wrong.take(parse_stream_columns(options), columns);
  std::optional<std::int64_t> records;
  if (wrong.take(options.integer("sliceRecordCount"), records) && !records) {
    wrong.check<void>(
        options.bad("sliceRecordCount", "sliceRecordCount is not set; write how many records a slice has."));
  }
  SLUICE_CHECK(wrong.all());
  return std::make_unique<stream_source>(std::move(columns), static_cast<std::uint64_t>(*records),
                                         seed_of(context.run));
}

}  // namespace sluice
