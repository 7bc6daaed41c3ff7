#include "plugins/text/bytes_form.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
  }
  return bytes;
}

TEST(bytes_form, gives_every_byte_back_in_each_form_but_text_in_no_more_room_than_it_says) {
  for (const bytes_form form : {bytes_form::hex, bytes_form::pg_hex, bytes_form::base64}) {
    for (const std::size_t size : {0u, 1u, 2u, 3u, 256u}) {
      const std::string bytes = every_byte().substr(0, size);
      std::string text;
      append_bytes_as(form, bytes, text);
      EXPECT_LE(text.size(), bytes_chars_max(size)) << to_string(form) << " " << size;
      std::string back = "other";
      EXPECT_TRUE(read_bytes_as(form, text, back)) << text;
      EXPECT_EQ(back, bytes) << to_string(form);
    }
  }
}

TEST(bytes_form, writes_small_letters_and_reads_any) {
  std::string text = "b=";
  append_bytes_as(bytes_form::pg_hex, std::string("\x00\xAF", 2), text);
  EXPECT_EQ(text, "b=\\x00af");
  std::string bytes;
  EXPECT_TRUE(read_bytes_as(bytes_form::hex, "aFAf", bytes));
  EXPECT_EQ(bytes, "\xAF\xAF");
}

TEST(bytes_form, refuses_what_is_not_of_the_form) {
  std::string bytes;
  for (const char* text : {"0", "0g", " 00", "\\x00"}) {
    EXPECT_FALSE(read_bytes_as(bytes_form::hex, text, bytes)) << text;
  }
  for (const char* text : {"", "00", "\\X00", "\\x0", "\\\\x00"}) {
    EXPECT_FALSE(read_bytes_as(bytes_form::pg_hex, text, bytes)) << text;
  }
  for (const char* text : {"AA", "AA=", "A===", "A*=="}) {
    EXPECT_FALSE(read_bytes_as(bytes_form::base64, text, bytes)) << text;
  }
}

TEST(bytes_form, has_a_name_each) {
  for (const bytes_form form : {bytes_form::text, bytes_form::hex, bytes_form::pg_hex, bytes_form::base64}) {
    EXPECT_EQ(bytes_form_of(to_string(form)), form);
  }
  EXPECT_EQ(bytes_form_of("HEX"), std::nullopt);
}

}  // namespace
}  // namespace sluice
