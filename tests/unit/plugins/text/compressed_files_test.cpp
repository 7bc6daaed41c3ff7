#include <bzlib.h>
#include <gtest/gtest.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

#include <functional>

#include "plugins/text/input_stream.h"
#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

std::string gzip(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string zstd(const std::string& text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string bzip2(const std::string& text) {
  std::string out(text.size() + text.size() / 50 + 700, '\0');
  auto size = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                     static_cast<unsigned>(text.size()), 1, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  const temporary_folder folder;
  const std::string path = folder.path("a.zip");
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, &code);
  for (const auto& [name, text] : entries) {
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, text.data(), text.size(), 0), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct kind {
  const char* name;
  std::function<std::string(const std::string&)> compress;
  bool may_be_joined;  ///< Two one behind the other are one.
};

const std::vector<kind> kinds = {
    {"gzip", gzip, true},
    {"zstd", zstd, true},
    {"bzip2", bzip2, true},
    {"zip",
     [](const std::string& text) {
       return zip_of({{"dir/", ""}, {"dir/a.csv", text}});
     },
     false},
};

std::string sample(int records) {
  std::string text;
  for (int i = 0; i < records; ++i) {
    text += std::to_string(i * 7919) + ",\"line\n" + std::to_string(i) + "\"\n";
  }
  return text;
}

nlohmann::json parameter_of(const std::string& path, const char* compress) {
  return {{"path", path},
          {"compress", compress},
          {"column", {{{"index", 0}, {"type", "string"}}, {{"index", 1}, {"type", "string"}}}}};
}

TEST(compressed_files, are_read_as_what_they_hold) {
  const temporary_folder folder;
  const std::string text = sample(100'000);
  reading plain{.parameter = parameter_of(folder.file("plain", text), "none")};
  const auto expected = plain.read();
  ASSERT_TRUE(expected) << expected.error().message;
  for (const kind& k : kinds) {
    reading r{.parameter = parameter_of(folder.file(k.name, k.compress(text)), k.name), .advice = 8};
    const auto out = r.read();
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->splits, 1U);
    EXPECT_EQ(shown(*out), shown(*expected)) << k.name;
    EXPECT_EQ(out->rows.back().line, expected->rows.back().line);
    if (k.may_be_joined) {
      const std::size_t half = text.find("\n5", text.size() / 2) + 1;
      folder.file(k.name, k.compress(text.substr(0, half)) + k.compress("") + k.compress(text.substr(half)));
      const auto joined = r.read();
      ASSERT_TRUE(joined) << joined.error().message;
      EXPECT_EQ(shown(*joined), shown(*expected)) << k.name;
    }
    folder.file(k.name, k.compress(""));
    const auto empty = r.read();
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_TRUE(empty->rows.empty());
  }
}

TEST(compressed_files, tell_how_many_packed_bytes_were_taken) {
  const temporary_folder folder;
  std::string text;
  for (std::uint64_t i = 0, mixed = 1; i < 200'000; ++i, mixed = mixed * 6364136223846793005U + i) {
    text += std::to_string(mixed) + "\n";
  }
  std::vector<char> taken(text.size() / 2);
  for (const kind& k : kinds) {
    const std::string packed = k.compress(text);
    const auto file = file_handle::open(folder.file(k.name, packed));
    ASSERT_TRUE(file) << file.error().message;
    auto stream = decompressing_stream(k.name == std::string("zip")     ? compression::zip
                                       : k.name == std::string("gzip")  ? compression::gzip
                                       : k.name == std::string("bzip2") ? compression::bzip2
                                                                        : compression::zstd,
                                       *file);
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_LT((*stream)->source_bytes(), packed.size() / 4) << k.name;
    for (std::size_t at = 0; at < taken.size();) {
      const auto got = (*stream)->read(taken.data() + at, taken.size() - at);
      ASSERT_TRUE(got) << got.error().message;
      at += *got;
    }
    const double share = static_cast<double>((*stream)->source_bytes()) / static_cast<double>(packed.size());
    EXPECT_NEAR(share, 0.5, 0.15) << k.name;
  }
}

TEST(compressed_files, fail_the_run_where_they_are_cut_short_wherever_that_is) {
  const temporary_folder folder;
  for (const kind& k : kinds) {
    const std::string whole = k.compress(sample(3000));
    for (const std::size_t size : {whole.size() - 1, whole.size() - 5, whole.size() / 2, std::size_t{30}}) {
      reading r{.parameter = parameter_of(folder.file(k.name, whole.substr(0, size)), k.name)};
      const auto out = r.read();
      ASSERT_FALSE(out) << k.name << " " << size;
      EXPECT_EQ(out.error().kind, error_kind::source_changed) << out.error().message;
      EXPECT_NE(out.error().message.find("cut short: it ends at byte " + std::to_string(size)),
                std::string::npos)
          << out.error().message;
      EXPECT_NE(out.error().message.find(folder.path(k.name)), std::string::npos);
    }
  }
}

TEST(compressed_files, fail_the_run_where_a_byte_of_their_data_is_wrong) {
  const temporary_folder folder;
  for (const kind& k : kinds) {
    std::string bytes = k.compress(sample(3000));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
    reading r{.parameter = parameter_of(folder.file(k.name, bytes), k.name)};
    const auto out = r.read();
    ASSERT_FALSE(out) << k.name;
    EXPECT_EQ(out.error().kind, error_kind::source_changed);
    EXPECT_NE(out.error().message.find("is damaged"), std::string::npos) << out.error().message;
  }
}

TEST(compressed_files, go_on_behind_a_cursor) {
  const temporary_folder folder;
  for (const kind& k : kinds) {
    reading r{.parameter = parameter_of(folder.file(k.name, k.compress(sample(2000))), k.name)};
    r.limits.rows_max = 300;
    const auto whole = r.read();
    ASSERT_TRUE(whole);
    for (const std::size_t i : {std::size_t{0}, whole->cursors.size() / 2, whole->cursors.size() - 1}) {
      r.after = whole->cursors[i];
      const auto rest = r.read();
      ASSERT_TRUE(rest) << rest.error().message;
      ASSERT_EQ(rest->rows.size() + whole->rows_at_cursor[i], whole->rows.size());
      if (!rest->rows.empty()) {
        EXPECT_EQ(rest->rows[0].values, whole->rows[whole->rows_at_cursor[i]].values);
        EXPECT_EQ(rest->rows[0].line, whole->rows[whole->rows_at_cursor[i]].line);
      }
    }
  }
}

TEST(compressed_files, of_several_entries_are_refused) {
  const temporary_folder folder;
  reading r{.parameter = parameter_of(folder.file("a.zip", zip_of({{"a", "1"}, {"b", "2"}})), "zip")};
  const auto out = r.read();
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, error_kind::bad_option);
  EXPECT_NE(out.error().message.find("has 2 entries"), std::string::npos) << out.error().message;
}

}  // namespace
}  // namespace sluice
