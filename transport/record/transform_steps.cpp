#include <algorithm>

#include "transport/record/transform.h"

namespace sluice {
namespace {

void clear(std::vector<std::uint8_t>& keep, std::uint32_t row) {
  keep[row / 8] &= static_cast<std::uint8_t>(~(1U << (row % 8)));
}

std::uint64_t count_kept(const transformed_rows& rows, std::uint32_t count) {
  std::uint64_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    kept += rows.kept(i) ? 1 : 0;
  }
  return kept;
}

}  // namespace

transformed_rows run_steps(const std::vector<transform_step>& steps, const batch& b, std::uint32_t first,
                           std::uint32_t last, const std::shared_ptr<buffer_pool>& pool) {
  transformed_rows out;
  const std::uint32_t count = last - first;
  out.keep.assign(count / 8 + 1, 0xFF);
  out.columns.reserve(b.columns.size());
  for (const column& c : b.columns) {
    out.columns.emplace_back(&c, first);
  }
  std::vector<conversion_failure> failures;
  for (const transform_step& step : steps) {
    auto& [from, at] = out.columns[step.column_index];
    if (step.filter != nullptr) {
      const std::uint64_t before = count_kept(out, count);
      step.filter->apply(*from, at, at + count, out.keep);
      out.dropped += before - count_kept(out, count);
      continue;
    }
    failures.clear();
    column_builder builder(step.becomes.type, pool);
    step.change->convert(*from, at, at + count, builder, failures);
    for (conversion_failure& f : failures) {
      f.row -= at;
      if (out.kept(f.row)) {
        clear(out.keep, f.row);
        f.row += first;
        out.failures.push_back({step.column_index, std::move(f)});
      }
    }
    from = &out.made.emplace_back(builder.seal());
    at = 0;
  }
  return out;
}

schema_ptr columns_behind(const std::vector<transform_step>& steps, const schema_ptr& columns) {
  if (std::all_of(steps.begin(), steps.end(), [](const transform_step& s) { return s.change == nullptr; })) {
    return columns;
  }
  auto out = std::make_shared<schema>(*columns);
  for (const transform_step& step : steps) {
    if (step.change != nullptr) {
      field& column = (*out)[step.column_index];
      auto changed_as_read = std::move(column.changed_as_read);
      column = step.becomes;
      column.changed_as_read = std::move(changed_as_read);
    }
  }
  return out;
}

}  // namespace sluice
