// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import Testing

/// A layer made of runs, for the chain's rules alone.
private final class FakeLayer: ImageDriver {
    let format = ImageFormat.raw
    let storage: any Storage = MemoryStorage(name: "layer")
    let runs: [(UInt64, Bool)]

    /// `runs` are lengths with whether the run is allocated.
    init(_ runs: [(UInt64, Bool)]) { self.runs = runs }

    var storages: [any Storage] { [storage] }
    var guestSize: UInt64 { runs.reduce(0) { $0 + $1.0 } }
    var backing: BackingReference? { nil }

    func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        var start: UInt64 = 0
        for (length, isAllocated) in runs {
            if offset.bytes < start + length {
                let rest = min(limit, start + length - offset.bytes)
                let place =
                    isAllocated ? Place.data(storage, HostOffset(offset.bytes)) : .unallocated
                return LayerExtent(length: rest, place: place)
            }
            start += length
        }
        throw DrayError(.bug, "asked beyond the layer's end")
    }

    func decode(_: CompressedCluster, into _: AlignedBuffer, at _: Int) throws(DrayError) {}
    func check() throws(DrayError) -> CheckReport? { nil }
    func information() throws(DrayError) -> FormatInformation { FormatInformation() }
}

@Suite struct ChainTests {
    /// The runs of a chain as "state:length@depth".
    private func runs(_ layers: [[(UInt64, Bool)]], depth: Int = Int.max) throws -> [String] {
        let image = Image(path: "test", layers: layers.map { FakeLayer($0) })
        var position: UInt64 = 0
        var all: [String] = []
        while position < image.guestSize {
            let run = try image.map(GuestOffset(position), limit: .max, depth: depth)
            all.append("\(run.state):\(run.range.length)@\(run.depth)")
            position = run.range.end.bytes
        }
        return all
    }

    @Test func `the first layer that has a run answers`() throws {
        let chain: [[(UInt64, Bool)]] = [[(10, true), (20, false)], [(15, false), (15, true)]]
        #expect(try runs(chain) == ["data:10@0", "hole:5@1", "data:15@1"])
    }

    @Test func `beyond a shorter backing image nothing below shows through`() throws {
        let chain: [[(UInt64, Bool)]] = [[(30, false)], [(10, false)], [(30, true)]]
        #expect(try runs(chain) == ["data:10@2", "hole:20@0"])
    }

    @Test func `a longer backing image is cut at the disk's end`() throws {
        #expect(try runs([[(10, false)], [(30, true)]]) == ["data:10@1"])
    }

    @Test func `layers below the asked depth are not looked at`() throws {
        let chain: [[(UInt64, Bool)]] = [[(10, true), (20, false)], [(30, true)]]
        #expect(try runs(chain, depth: 1) == ["data:10@0", "hole:20@0"])
    }
}
