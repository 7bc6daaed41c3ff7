#include "tests/conformance/plugin_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::testing {

temporary_folder::temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
  const char* made = ::mkdtemp(pattern.data());
  EXPECT_NE(made, nullptr);
  path_ = pattern;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> temporary_folder::names() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    found.push_back(entry.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  EXPECT_TRUE(out.good()) << path;
}

option_values options_of(const side_description& side, std::string_view parameter, dialect d) {
  return {"job.json", "parameter", nlohmann::json::parse(parameter), nullptr, side.options, d};
}

plugin_context context_for_test(std::uint8_t run_number) {
  plugin_context context;
  context.pool = buffer_pool::make(std::size_t{16} << 20);
  context.zone = time_zone::find("UTC").value_or(nullptr);
  EXPECT_NE(context.zone, nullptr);
  context.formats.zone = context.zone;
  context.job_name = "test job";
  context.run = run_id::make(1'700'000'000'000, run_number, run_number);
  context.memory_bytes = std::uint64_t{16} << 20;
  context.warn = [](const std::string&) {};
  return context;
}

opened_source open_source(const plugin& p, std::string_view parameter, std::uint32_t advice,
                          const plugin_context& context) {
  opened_source opened;
  auto made = p.make_source(options_of(*p.reads, parameter, context.job_dialect), context);
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return opened;
  }
  opened.object = std::move(*made);
  auto described = opened.object->open({});
  EXPECT_TRUE(described) << described.error().message;
  auto splits = opened.object->plan_splits(advice, {});
  EXPECT_TRUE(splits) << splits.error().message;
  opened.description = std::move(described).value_or(source_description{});
  opened.splits = std::move(splits).value_or(std::vector<split>{});
  return opened;
}

std::vector<std::shared_ptr<batch>> read_split(reader& r, const source_description& described, const split& s,
                                               const batch_builder::limits& limits,
                                               const std::optional<cursor>& after, std::size_t* needs) {
  std::vector<std::shared_ptr<batch>> batches;
  const auto opened = r.open(s.description, after, {});
  EXPECT_TRUE(opened) << opened.error().message;
  batch_builder builder(described.columns, buffer_pool::make(std::size_t{16} << 20), limits);
  std::uint64_t position = 0;
  while (opened) {
    const auto answer = r.read(builder, {});
    if (!answer) {
      ADD_FAILURE() << answer.error().message;
      break;
    }
    if (answer->what == read_answer::kind::needs) {
      EXPECT_GT(answer->bytes, builder.limit().bytes_max) << "needs must ask for more than there is";
      if (needs != nullptr) {
        ++*needs;
      }
      if (builder.records() == 0) {
        batch_builder::limits larger = limits;
        larger.bytes_max = answer->bytes;
        larger.bytes_target = std::max(larger.bytes_target, larger.bytes_max);
        builder.set_limits(larger);
        continue;
      }
    } else {
      // Offsets, bitmaps and a refused record's own texts may come on top: within the pool's smallest block.
      EXPECT_LE(builder.bytes(), builder.limit().bytes_max + 1024);
    }
    const bool end = answer->what == read_answer::kind::end;
    if (builder.records() != 0 || end) {
      batches.push_back(builder.seal(position));
      position += batches.back()->records_read;
      batches.back()->split_end = end;
    }
    builder.set_limits(limits);
    if (end) {
      break;
    }
  }
  return batches;
}

std::vector<std::string> rows_of(const std::vector<std::shared_ptr<batch>>& batches) {
  std::vector<std::string> rows;
  for (const auto& b : batches) {
    for (std::uint32_t row = 0; row < b->rows; ++row) {
      std::string text;
      for (std::size_t i = 0; i < b->columns.size(); ++i) {
        const auto value = value_text(b->columns[i], (*b->columns_schema)[i].type, row);
        text += (i == 0 ? "" : "|") + value.value_or("<null>");
      }
      rows.push_back(std::move(text));
    }
  }
  return rows;
}

std::shared_ptr<batch> text_batch(const std::vector<std::string>& names, const std::vector<text_row>& rows) {
  schema fields;
  for (const std::string& name : names) {
    fields.push_back({name, type_of(type_id::utf8), true, ""});
  }
  batch_builder builder(std::make_shared<const schema>(std::move(fields)), buffer_pool::make(1 << 20), {});
  for (const text_row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] == nullptr ? builder.at(i).append_null() : builder.at(i).append_bytes(row[i]);
    }
    builder.commit_row();
  }
  return builder.seal(0);
}

}  // namespace sluice::testing
