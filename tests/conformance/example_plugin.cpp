#include "tests/conformance/example_plugin.h"

namespace sluice {
namespace {

struct numbers_reader final : reader {
  result<void> open(const scalar_list& split, const std::optional<cursor>& after,
                    const stop_signal&) override {
    next = std::get<std::int64_t>(find(after ? *after : split, "from")->value);
    end = std::get<std::int64_t>(find(split, "end")->value);
    return {};
  }
  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override {
    for (; next < end && !builder.full() && !stop.fired(); ++next) {
      if (const auto bytes = builder.bytes() + 8; bytes > builder.limit().bytes_max) {
        return read_answer{builder.rows() == 0 ? read_answer::kind::needs : read_answer::kind::full, bytes};
      }
      builder.at(0).append(next);
      builder.commit_row();
      builder.set_cursor({{"from", {next + 1}}});
    }
    return read_answer{next < end ? read_answer::kind::full : read_answer::kind::end};
  }
  std::int64_t next = 0, end = 0;
};

struct numbers_source final : source {
  explicit numbers_source(std::int64_t last) : to(last) {}
  result<source_description> open(const stop_signal&) override {
    auto columns = std::make_shared<const schema>(schema{{"n", type_of(type_id::int64), false, "number"}});
    return source_description{columns, {fmt::format("the numbers 1 to {}", to)}, true, true};
  }
  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal&) override {
    std::vector<split> splits;
    for (std::int64_t i = 0; i < advice; ++i) {
      splits.push_back(
          {{{"from", {1 + to * i / advice}}, {"end", {1 + to * (i + 1) / advice}}}, fmt::format("{}", i)});
    }
    return splits;
  }
  result<std::unique_ptr<reader>> make_reader() override { return std::make_unique<numbers_reader>(); }
  const std::int64_t to;
};

result<std::unique_ptr<source>> make(const option_values& options, const plugin_context&) {
  SLUICE_TRY(const auto to, options.integer("to"));
  return std::make_unique<numbers_source>(to.value_or(0));
}

}  // namespace

plugin example_plugin() {
  static const side_description reads{
      .options = {{.name = "to", .type = option_type::integer, .meaning = "Last number.", .required = true}},
      .can = {.splits = "by equal ranges", .resumes = "at any number", .repeatable = true},
      .sample = R"({"to": 100})"};
  return {.name = "numbers", .summary = "Whole numbers.", .reads = &reads, .make_source = &make};
}

}  // namespace sluice
