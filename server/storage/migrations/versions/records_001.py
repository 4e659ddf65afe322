"""bins, SKUs, documents and their history

Revision: records_001. Revises: . Depends on: .
"""
from alembic import op
import sqlalchemy as sa
import server.storage.columns
from server.storage.migrations.append_only import protect, release


revision = 'records_001'
down_revision = None
branch_labels = ('records',)
depends_on = None


def upgrade() -> None:
    op.create_table('site',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('currency', server.storage.columns.CodeText(), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('site_id')
    )
    op.create_table('bin',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('bin', server.storage.columns.CodeText(), nullable=False),
    sa.Column('barcode', server.storage.columns.CodeText(), nullable=False),
    sa.Column('zone', server.storage.columns.CodeText(), nullable=False),
    sa.Column('aisle', server.storage.columns.CodeText(), nullable=False),
    sa.Column('bay', server.storage.columns.CodeText(), nullable=False),
    sa.Column('level', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('walk_order', sa.Integer(), nullable=False),
    sa.Column('state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('owner', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'bin'),
    sa.UniqueConstraint('site_id', 'barcode', name='uq_bin_barcode')
    )
    op.create_table('document',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('number', server.storage.columns.CodeText(), nullable=False),
    sa.Column('state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('owner', server.storage.columns.CodeText(), nullable=False),
    sa.Column('party', server.storage.columns.CodeText(), nullable=False),
    sa.Column('refers_to', server.storage.columns.CodeText(), nullable=False),
    sa.Column('currency', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'kind', 'number')
    )
    op.create_index('ix_document_state', 'document', ['site_id', 'kind', 'state', 'number'], unique=False)
    op.create_table('import_run',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('import_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('actor', server.storage.columns.CodeText(), nullable=False),
    sa.Column('started_us', sa.BigInteger(), nullable=False),
    sa.Column('finished_us', sa.BigInteger(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('created', sa.Integer(), nullable=False),
    sa.Column('updated', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('report', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'import_id')
    )
    op.create_index('ix_import_run_at', 'import_run', ['site_id', 'finished_us'], unique=False)
    op.create_table('record_history',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('history_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('record', server.storage.columns.CodeText(), nullable=False),
    sa.Column('record_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('actor', server.storage.columns.CodeText(), nullable=False),
    sa.Column('event', server.storage.columns.CodeText(), nullable=False),
    sa.Column('from_state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('to_state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('via', server.storage.columns.CodeText(), nullable=False),
    sa.Column('changes', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'history_id')
    )
    op.create_index('ix_record_history_record', 'record_history', ['site_id', 'record', 'record_id', 'history_id'], unique=False)
    op.create_table('sku',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('sku', server.storage.columns.CodeText(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('tracking', server.storage.columns.CodeText(), nullable=False),
    sa.Column('abc_class', server.storage.columns.CodeText(), nullable=False),
    sa.Column('unit_cost_u', sa.BigInteger(), nullable=False),
    sa.Column('cost_set_us', sa.BigInteger(), nullable=False),
    sa.Column('price_u', sa.BigInteger(), nullable=False),
    sa.Column('currency', server.storage.columns.CodeText(), nullable=False),
    sa.Column('state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('owner', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'sku')
    )
    op.create_table('barcode',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('barcode', server.storage.columns.CodeText(), nullable=False),
    sa.Column('sku', server.storage.columns.CodeText(), nullable=False),
    sa.Column('unit', server.storage.columns.CodeText(), nullable=False),
    sa.Column('factor_u', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id', 'sku'], ['sku.site_id', 'sku.sku'], ),
    sa.PrimaryKeyConstraint('site_id', 'barcode', 'sku')
    )
    op.create_index('ix_barcode_sku', 'barcode', ['site_id', 'sku'], unique=False)
    op.create_table('document_line',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('number', server.storage.columns.CodeText(), nullable=False),
    sa.Column('line', server.storage.columns.CodeText(), nullable=False),
    sa.Column('sku', server.storage.columns.CodeText(), nullable=False),
    sa.Column('quantity_u', sa.BigInteger(), nullable=False),
    sa.Column('price_u', sa.BigInteger(), nullable=False),
    sa.Column('promised_us', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['site_id', 'kind', 'number'], ['document.site_id', 'document.kind', 'document.number'], ),
    sa.PrimaryKeyConstraint('site_id', 'kind', 'number', 'line')
    )
    op.create_index('ix_document_line_sku', 'document_line', ['site_id', 'sku', 'kind', 'number'], unique=False)
    protect('record_history')



def downgrade() -> None:
    release('record_history')
    op.drop_index('ix_document_line_sku', table_name='document_line')
    op.drop_table('document_line')
    op.drop_index('ix_barcode_sku', table_name='barcode')
    op.drop_table('barcode')
    op.drop_table('sku')
    op.drop_index('ix_record_history_record', table_name='record_history')
    op.drop_table('record_history')
    op.drop_index('ix_import_run_at', table_name='import_run')
    op.drop_table('import_run')
    op.drop_index('ix_document_state', table_name='document')
    op.drop_table('document')
    op.drop_table('bin')
    op.drop_table('site')
