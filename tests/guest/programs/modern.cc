// What C++ programs ask of their library, and it of the system; linked with libstdc++ and glibc.
// Its output is the same wherever it is right: no ids, times or addresses.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Exceptions cross frames and threads, and destructors run on the way.
struct Told {
    const char *name;
    ~Told() { std::cout << "destroyed: " << name << '\n'; }
};

static int deep(int levels) {
    Told told{levels % 2 ? "odd" : "even"};
    if (levels == 0)
        throw std::out_of_range("the bottom");
    return deep(levels - 1) + 1;
}

static void exceptions() {
    try {
        deep(3);
    } catch (const std::logic_error &error) {
        std::cout << "caught: " << error.what() << '\n';
    }
    auto failing = std::async(std::launch::async, [] { return std::vector<int>(3).at(7); });
    try {
        failing.get();
    } catch (const std::out_of_range &) {
        std::cout << "caught from another thread\n";
    }
    try {
        std::vector<char> all(1ull << 46);
        std::cout << all.size() << '\n';
    } catch (const std::bad_alloc &) {
        std::cout << "too much memory is refused\n";
    }
}

static void threads() {
    std::vector<long> values(100000);
    std::iota(values.begin(), values.end(), 0);
    std::vector<std::future<long>> parts;
    for (int part = 0; part < 8; part++)
        parts.push_back(std::async(std::launch::async, [&values, part] {
            auto from = values.begin() + part * 12500;
            return std::accumulate(from, from + 12500, 0L);
        }));
    long sum = 0;
    for (auto &part : parts)
        sum += part.get();
    std::cout << "sum of eight threads: " << sum << '\n';

    std::mutex mutex;
    std::condition_variable changed;
    int turn = 0;
    std::string word;
    std::vector<std::thread> players;
    for (int player = 0; player < 5; player++)
        players.emplace_back([&, player] {
            for (int round = 0; round < 3; round++) {
                std::unique_lock held(mutex);
                changed.wait(held, [&] { return turn % 5 == player; });
                word += char('a' + player), turn++;
                changed.notify_all();
            }
        });
    for (auto &player : players)
        player.join();
    std::cout << "in turns: " << word << '\n';

    std::atomic<int> count{0};
    std::once_flag once;
    std::vector<std::thread> counters;
    for (int i = 0; i < 8; i++)
        counters.emplace_back([&] {
            std::call_once(once, [&] { count = 1000; });
            for (int j = 0; j < 1000; j++)
                count++;
        });
    for (auto &counter : counters)
        counter.join();
    std::cout << "counted: " << count << '\n';
    std::unique_lock held(mutex);
    auto before = std::chrono::steady_clock::now();
    bool timed_out = changed.wait_for(held, 20ms) == std::cv_status::timeout;
    bool long_enough = std::chrono::steady_clock::now() - before >= 20ms;
    std::cout << "time limit: " << timed_out << long_enough << '\n';
}

static void text() {
    std::map<std::string, int> words;
    std::istringstream stream("the cat and the dog and the end");
    for (std::string word; stream >> word;)
        words[word]++;
    for (auto &[word, times] : words)
        std::cout << word << '=' << times << ' ';
    std::cout << std::hex << std::setw(8) << std::setfill('0') << 48879 << std::dec << ' '
              << std::fixed << std::setprecision(3) << 2.0 / 3 << '\n';
    std::string line = "kamen 12.5, linux 6.1";
    std::regex version("([a-z]+) ([0-9]+)\\.([0-9]+)");
    for (std::sregex_iterator found(line.begin(), line.end(), version), end; found != end; ++found)
        std::cout << (*found)[1] << ':' << (*found)[2] << '/' << (*found)[3] << '\n';
    std::mt19937 random(42);
    std::vector<unsigned> drawn(10000);
    std::generate(drawn.begin(), drawn.end(), random);
    std::sort(drawn.begin(), drawn.end());
    std::cout << drawn.front() << ' ' << drawn.back() << '\n';
    std::unordered_map<int, std::unique_ptr<std::string>> table;
    for (int i = 0; i < 10000; i++)
        table[i] = std::make_unique<std::string>(std::to_string(i * i));
    std::cout << table.size() << ' ' << *table[99] << '\n';
}

static void files() {
    fs::create_directories("cxx/a/b");
    std::ofstream("cxx/a/file") << "one\ntwo\n" << std::string(10000, 'x');
    fs::copy_file("cxx/a/file", "cxx/a/b/copy");
    fs::rename("cxx/a/b/copy", "cxx/moved");
    fs::create_symlink("moved", "cxx/link");
    std::vector<std::string> found;
    for (auto &entry : fs::recursive_directory_iterator("cxx"))
        found.push_back(entry.path().string() + (entry.is_directory() ? "/" : entry.is_symlink() ? "@" : ""));
    std::sort(found.begin(), found.end());
    for (auto &path : found)
        std::cout << path << ' ';
    std::cout << fs::file_size("cxx/link") << ' ' << fs::read_symlink("cxx/link") << '\n';
    std::ifstream file("cxx/moved");
    std::string first, second;
    std::getline(file, first), std::getline(file, second);
    std::cout << first << ',' << second << ' ' << file.tellg() << '\n';
    fs::permissions("cxx/moved", fs::perms::owner_read);
    std::cout << std::oct << int(fs::status("cxx/moved").permissions()) << std::dec << '\n';
    std::error_code error;
    fs::remove("cxx", error);
    std::cout << error.message() << ", " << fs::remove_all("cxx") << " removed, " << fs::exists("cxx") << '\n';
}

int main() {
    exceptions();
    threads();
    text();
    files();
    std::cerr << "ends by an exception that nobody catches\n";
    std::cout.flush();
    std::set_terminate([] { std::_Exit(9); });
    throw 1;
}
