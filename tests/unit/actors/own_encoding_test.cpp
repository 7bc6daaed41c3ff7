#include "actors/plan/own_encoding.h"

#include <gtest/gtest.h>

#include "actors/pipeline/convert_batch.h"
#include "transport/record/own_columns.h"

namespace sluice {
namespace {

/// A row's bytes are its columns' letters, one each; `-` is NULL.
class letters : public own_codec {
 public:
  std::string_view name() const override { return "letters/1"; }
  std::vector<std::vector<std::optional<std::string>>> texts(
      const column& rows, std::span<const std::uint32_t> which) const override {
    std::vector<std::vector<std::optional<std::string>>> out(rows.get_bytes(which[0]).size());
    for (const std::uint32_t row : which) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const char c = rows.get_bytes(row)[i];
        out[i].push_back(c == '-' ? std::nullopt : std::optional(std::string(1, c)));
      }
    }
    return out;
  }
  std::uint64_t record_bytes(const column& rows, std::uint32_t first, std::uint32_t last) const override {
    std::uint64_t bytes = 0;
    for (std::uint32_t row = first; row < last; ++row) {
      bytes += 100 * rows.get_bytes(row).size();
    }
    return bytes;
  }
};

field text(const std::string& name, bool nullable = true) {
  field f{name, type_of(type_id::utf8), nullable};
  f.own_form = "letter";
  return f;
}
schema_ptr of(schema s) {
  return std::make_shared<const schema>(std::move(s));
}
std::shared_ptr<const mapping> map_of(const schema_ptr& from, const schema_ptr& to, const job& what = {}) {
  return *make_mapping(what, from, to, {});
}

using marks = std::vector<bool>;

TEST(own_encoding, takes_the_columns_that_both_ends_have_alike) {
  const auto from = of({text("a"), text("b"), text("c")});
  EXPECT_EQ(columns_in_own_bytes(*map_of(from, of({text("x"), text("y"), text("z")})), {true, false, true}),
            (marks{true, false, true}));
  EXPECT_EQ(columns_in_own_bytes(*map_of(from, of({text("x"), text("y"), text("z")})), {}), marks());
}

TEST(own_encoding, leaves_out_what_is_looked_at_on_the_way) {
  const auto from = of({text("a"), text("b")});
  // A NULL that may not be.
  EXPECT_EQ(columns_in_own_bytes(*map_of(from, of({text("x", false), text("y")})), {true, true}),
            (marks{false, true}));
  field plain = text("a");
  plain.own_form.clear();
  EXPECT_EQ(columns_in_own_bytes(*map_of(of({plain}), of({text("x")})), {true}), marks());
  job transformed;
  transformed.transformers.push_back({"dx_filter", 0, {"=", "x"}, "steps[0]"});
  EXPECT_EQ(columns_in_own_bytes(*map_of(from, of({text("x"), text("y")}), transformed), {true, true}),
            marks());
  job as_datax;
  as_datax.compat = compat_mode::datax;
  EXPECT_EQ(columns_in_own_bytes(*map_of(from, of({text("x"), text("y")}), as_datax), {true, true}), marks());
}

/// The mapping of (id, a, b) to (ID, A, B) of which the last two travel in own bytes.
std::shared_ptr<const mapping> with_two_own() {
  const field id{"id", type_of(type_id::int64), false};
  const field number{"ID", type_of(type_id::decimal_text), true};
  const auto map = map_of(of({id, text("a"), text("b")}), of({number, text("A"), text("B")}));
  field whole;
  whole.type = type_of(type_id::binary);
  whole.nullable = false;
  whole.own =
      std::make_shared<const own_columns>(own_columns{{text("a"), text("b")}, std::make_shared<letters>()});
  return with_own_columns(*map, of({id, whole}));
}

std::shared_ptr<batch> as_read(const mapping& map) {
  batch_builder builder(map.source, buffer_pool::make(0), {});
  for (const char* letters : {"xy", "-z"}) {
    builder.at(0).append(std::int64_t{builder.rows() + 7});
    builder.at(1).append_bytes(letters);
    builder.commit_row();
  }
  return builder.seal(0);
}

TEST(own_encoding, neighbours_are_one_column_and_the_others_are_converted) {
  const auto map = with_two_own();
  const auto read = as_read(*map);
  EXPECT_EQ(read->record_bytes, 2u * 8 + 2 * 200);
  const auto parts = convert_batch(*read, *map, buffer_pool::make(0), 1 << 20);
  ASSERT_EQ(parts.size(), 1u);
  const batch& out = *parts[0].b;
  ASSERT_EQ(out.columns.size(), 2u);
  EXPECT_EQ(out.columns[0].get_bytes(0), "7");
  EXPECT_EQ(out.columns[1].get_bytes(1), "-z");
  EXPECT_EQ(out.row_bytes(0, 2), 2u + 400);
  EXPECT_EQ(sums_form_of(*map), "canonical/1 with letters/1");
}

TEST(own_encoding, a_refused_row_shows_each_column_under_the_destinations_name) {
  const auto map = with_two_own();
  const auto parts = convert_batch(*as_read(*map), *map, buffer_pool::make(0), 1 << 20);
  const dirty_record d = dirty_from_row(*parts[0].b, 1, dirty_side::writer);
  const std::vector<dirty_field> shown = {
      {"ID", "decimal_text", "8"}, {"A", "utf8", std::nullopt}, {"B", "utf8", "z"}};
  EXPECT_EQ(d.record, shown);
}

}  // namespace
}  // namespace sluice
