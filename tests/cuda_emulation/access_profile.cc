/*
 * CUEMU_PROFILE=1: at the end, a line for each load and store of each kernel:
 * what a warp's access costs on average, in 32-byte sectors of global memory
 * or passes over the banks of shared memory, and the least that was possible.
 * `addr2line -e PROGRAM ADDRESS` gives the source line. Counts two blocks a
 * launch.
 */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdio.h>
#include <stdlib.h>
#include <string>

extern "C" char __executable_start;

namespace emu {

/* One execution of an instruction by a warp. */
struct Request {
    uint32_t mask;
    uintptr_t address[32];
};

struct Site {
    Access access;
    std::map<unsigned, std::vector<Request>> requests; // by warp
    std::map<unsigned, unsigned> executed;             // by thread
    uint64_t count, cost, least;
};

static const bool wanted = getenv("CUEMU_PROFILE") != nullptr;

/* Never freed: printed while the program ends. */
static std::map<std::pair<std::string, const void *>, Site> *sites;

/* The units (sectors, or words of 4 bytes) that lanes `from` on touch. */
static std::set<uintptr_t>
units_of(const Request &request, unsigned from, unsigned lanes, size_t bytes,
         size_t unit)
{
    std::set<uintptr_t> units;

    for (unsigned l = from; l < from + lanes; l++) {
        uintptr_t first = request.address[l];
        if (!(request.mask >> l & 1))
            continue;
        for (uintptr_t u = first / unit; u <= (first + bytes - 1) / unit; u++)
            units.insert(u);
    }
    return units;
}

static void
count_global(Site *site, const Request &request)
{
    size_t bytes = site->access.bytes;
    size_t lanes = (size_t) __builtin_popcount(request.mask);

    site->cost += units_of(request, 0, 32, bytes, 32).size();
    site->least += (lanes * bytes + 31) / 32;
}

/* Wide accesses go in several groups of lanes; a group waits for its bank. */
static void
count_shared(Site *site, const Request &request)
{
    unsigned bytes = site->access.bytes, together = std::min(32u, 128 / bytes);

    for (unsigned from = 0; from < 32; from += together) {
        unsigned bank[32] = {0};
        auto words = units_of(request, from, together, bytes, 4);
        for (uintptr_t word : words)
            bank[word % 32]++;
        site->cost += *std::max_element(bank, bank + 32);
        site->least += !words.empty();
    }
}

void
profile_block_ended()
{
    if (sites == nullptr)
        return;
    for (auto &entry : *sites) {
        Site *site = &entry.second;
        for (auto &warp : site->requests)
            for (const Request &request : warp.second) {
                site->access.shared ? count_shared(site, request)
                                    : count_global(site, request);
                site->count++;
            }
        site->requests.clear();
        site->executed.clear();
    }
}

static void
profile_print()
{
    for (const auto &entry : *sites) {
        const Site &s = entry.second;
        double count = (double) s.count;
        fprintf(
            stderr,
            "%-20s +%#07tx %s %s %2u B %7llu times %6.2f %s, least %6.2f%s"
            "\n",
            entry.first.first.c_str(),
            static_cast<const char *>(entry.first.second) - &__executable_start,
            s.access.shared ? "shared" : "global",
            s.access.write ? "store" : "load ", s.access.bytes,
            (unsigned long long) s.count, (double) s.cost / count,
            s.access.shared ? "passes" : "sectors", (double) s.least / count,
            s.cost > s.least * 3 / 2 ? "  <--" : "");
    }
}

void
profile_access(const Access &access)
{
    if (!wanted || block.id > 1)
        return;
    if (sites == nullptr) {
        sites = new std::map<std::pair<std::string, const void *>, Site>;
        atexit(profile_print);
    }
    Site *site = &(*sites)[{block.launch->shape.name, access.instruction}];
    site->access = access;
    unsigned nth = site->executed[current->flat]++;
    std::vector<Request> *requests = &site->requests[current->warp];
    if (requests->size() <= nth)
        requests->resize(nth + 1);
    Request *request = &(*requests)[nth];
    request->mask |= 1u << current->lane;
    request->address[current->lane] =
        reinterpret_cast<uintptr_t>(access.address);
}

} // namespace emu
