#include "transport/record/scalar.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "transport/base/base64.h"

namespace sluice {
namespace {

TEST(scalars, come_back_from_json_as_they_were) {
  const scalar_list list = {{"path", {std::string("a \"ü\"\n.csv")}},
                            {"from", {std::int64_t{-5}}},
                            {"most", {std::numeric_limits<std::int64_t>::max()}},
                            {"small", {std::uint64_t{5}}},
                            {"big", {~std::uint64_t{0}}},
                            {"tenth", {0.1}},
                            {"minus_zero", {-0.0}},
                            {"endless", {-std::numeric_limits<double>::infinity()}},
                            {"bytes", {scalar::bytes{std::string("\0\xff\x01", 3)}}},
                            {"yes", {true}},
                            {"none", {std::monostate{}}},
                            {"path", {std::string("a name may come twice")}}};
  const auto back = scalars_from_json(to_json(list));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, list);
  EXPECT_TRUE(std::signbit(std::get<double>((*back)[6].value.value)));
  EXPECT_EQ(to_json(*back), to_json(list));
}

TEST(scalars, keep_the_bits_of_a_nan) {
  const auto nan = std::bit_cast<double>(0x7ff8000000001234ULL);
  const auto back = scalars_from_json(to_json({{"x", {nan}}})).value();
  EXPECT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(back[0].value.value)), 0x7ff8000000001234ULL);
}

TEST(scalars, are_written_the_same_way_for_ever) {
  // Stored in destinations: a change breaks runs that are to be continued.
  EXPECT_EQ(to_json({}), "{}");
  EXPECT_EQ(to_json({{"path", {std::string("ü\t")}},
                     {"at", {std::int64_t{7}}},
                     {"u", {std::uint64_t{7}}},
                     {"f", {0.5}},
                     {"b", {scalar::bytes{"ab"}}},
                     {"n", {std::monostate{}}},
                     {"t", {false}}}),
            R"({"path":"ü\t","at":7,"u":{"u":"7"},"f":{"f":"0.5"},"b":{"b":"YWI="},"n":null,"t":false})");
}

TEST(scalars, are_refused_in_any_other_form) {
  for (const std::string_view text : {"",
                                      "{",
                                      "[]",
                                      "5",
                                      "null",
                                      "{}x",
                                      R"({"a":1.5})",
                                      R"({"a":[1]})",
                                      R"({"a":{}})",
                                      R"({"a":{"u":5}})",
                                      R"({"a":{"u":"-5"}})",
                                      R"({"a":{"u":"5x"}})",
                                      R"({"a":{"u":"18446744073709551616"}})",
                                      R"({"a":{"f":"x"}})",
                                      R"({"a":{"f":"inf"}})",
                                      R"({"a":{"b":"YWI"}})",
                                      R"({"a":{"x":"5"}})",
                                      R"({"a":{"u":"5","u":"6"}})",
                                      R"({"a":{"u":{"u":"5"}}})",
                                      R"({"a":9223372036854775808})",
                                      "{\"a\":\"\xff\"}"}) {
    const auto back = scalars_from_json(text);
    ASSERT_FALSE(back.has_value()) << text;
    EXPECT_EQ(back.error().kind, error_kind::internal);
  }
  EXPECT_FALSE(scalars_from_json("{\"a\":\"" + std::string(65536, 'x') + "\"}").has_value());
}

TEST(scalars, are_found_by_name) {
  const scalar_list list = {{"a", {std::int64_t{1}}}, {"b", {true}}};
  ASSERT_NE(find(list, "b"), nullptr);
  EXPECT_EQ(*find(list, "b"), scalar{true});
  EXPECT_EQ(find(list, "c"), nullptr);
}

TEST(base64, is_that_of_rfc_4648) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {"\xff\xfe\xfb", "//77"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(base64_decoded(text), bytes);
  }
  for (const std::string_view wrong :
       {"Z", "Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Z g=", "Zm-_"}) {
    EXPECT_FALSE(base64_decoded(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace sluice
